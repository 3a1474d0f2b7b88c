/**
 * Joins the calls made while a statement is under way into the next one, so that many conversations share a
 * transaction without waiting for a timer: alone a call runs at once, in a crowd the batches grow by themselves.
 * Every call of a batch that fails rejects.
 */
export function shareStatement<In, Out>(
  run: (items: In[]) => Promise<(item: In) => Out | Promise<Out>>,
): (item: In) => Promise<Out> {
  let waiting: (PromiseWithResolvers<Out> & { item: In })[] = []
  let isRunning = false

  const work = async () => {
    isRunning = true
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        const resultOf = await run(batch.map((one) => one.item))
        for (const one of batch) one.resolve(resultOf(one.item))
      } catch (error) {
        for (const one of batch) one.reject(error)
      }
    }
    isRunning = false
  }
  return (item) => {
    const one = { item, ...Promise.withResolvers<Out>() }
    waiting.push(one)
    if (!isRunning) void work()
    return one.promise
  }
}
