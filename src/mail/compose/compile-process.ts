import mjml2html from 'mjml'
import { answerOnce } from '../../isolation.ts'

export type Compiled = { html: string } | { fault: string }

/**
 * Compiles the sources it is sent, by name, and ends. MJML blocks whoever runs it, and what it has loaded would stay
 * in memory for good: a process of its own gives back more than a hundred megabytes.
 */
answerOnce(compileAll)

async function compileAll(sources: Record<string, string>): Promise<Record<string, Compiled>> {
  const compiled: Record<string, Compiled> = {}
  for (const [name, source] of Object.entries(sources)) compiled[name] = await compile(source)
  return compiled
}

async function compile(source: string): Promise<Compiled> {
  try {
    const { html } = await mjml2html(source, {
      validationLevel: 'strict',
      keepComments: false,
      // Without this, MJML links fonts from a foreign host.
      fonts: {},
      // Pictures keep the height that reserves their room, beside the style that lets them shrink.
      juiceOptions: { applyHeightAttributes: false },
    })
    return { html }
  } catch (error) {
    const errors = (error as { errors?: { formattedMessage?: string }[] }).errors ?? []
    const faults = errors.map((each) => each.formattedMessage ?? '').join('; ')
    return { fault: faults || (error instanceof Error ? error.message : String(error)) }
  }
}
