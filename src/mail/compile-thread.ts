import { parentPort, workerData } from 'node:worker_threads'
import mjml2html from 'mjml'

/** Sources by name; MJML is asynchronous in name only, so it is given a thread of its own. */
const sources = workerData as Record<string, string>

for (const [name, source] of Object.entries(sources)) {
  try {
    const { html } = await mjml2html(source, {
      validationLevel: 'strict',
      keepComments: false,
      // Without this, MJML links fonts from a foreign host.
      fonts: {},
    })
    parentPort?.postMessage({ name, html })
  } catch (error) {
    const errors = (error as { errors?: { formattedMessage?: string }[] }).errors ?? []
    const faults = errors.map((each) => each.formattedMessage ?? '').join('; ')
    parentPort?.postMessage({
      name,
      fault: faults || (error instanceof Error ? error.message : String(error)),
    })
  }
}
