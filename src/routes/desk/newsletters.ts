import { z } from 'zod'
import { slugOf as slugFrom } from '../../domain/articles/slug.ts'
import type { Newsletter } from '../../domain/newsletter.ts'
import { drawChart } from '../../http/charts.ts'
import { get, postForm, type DeskCall, type DeskRoute, type FormAtFault } from '../../http/desk.ts'
import { formVersion, requireFormVersion } from '../../http/form-version.ts'
import type { Services } from '../../services/services.ts'
import { blankForm, formOf, toChange, typedForm, type NewsletterForm } from './newsletter-form.ts'

const reportDays = [30, 90] as const
const reportQuery = z.object({ days: z.coerce.number().pipe(z.literal(reportDays)).catch(30) })
/** Left empty, it is made from the name. */
const newSlug = z.object({ slug: z.string().trim(), name: z.string() })

interface Shown {
  newsletter?: Newsletter | undefined
  typed?: FormAtFault['typed']
  faults?: string[]
}

/** Newsletters: their rules and cadences. */
export function newslettersDesk(services: Services): DeskRoute[] {
  const { newsletters, picks, reports, selections, publication } = services
  const zone = async () => (await publication.get()).zone
  const showForm = async (call: DeskCall, form: NewsletterForm, more: Shown = {}) => {
    const named = (kind: string) =>
      form.blocks.filter((block) => block.startsWith(`${kind} `)).map((block) => block.slice(kind.length + 1))
    const chosen = {
      sections: [...form.sections, ...named('section')],
      dossiers: [...form.dossiers, ...named('dossier')],
      tags: form.tags,
    }
    const offered = {
      ...(await selections.offer(chosen, call.session.language)),
      picks: await picks.list(),
    }
    const languages = new Set((await publication.get()).languages)
    // A language that the publication has given up stays this newsletter's until an editor chooses another.
    if (more.newsletter) languages.add(more.newsletter.language)
    const readers = more.newsletter && (await newsletters.countReaders(more.newsletter.id))
    const stranded = more.newsletter && (await newsletters.countStranded(more.newsletter, form.cadences))
    const version = more.newsletter && formVersion(formOf(more.newsletter, await zone()), more)
    call.page('desk/newsletter', {
      form,
      offered,
      languages: [...languages],
      readers,
      stranded,
      version,
      ...more,
    })
  }
  const slugOf = ({ request }: DeskCall) => String(request.params['slug'])
  const showTyped = async (call: DeskCall, { typed, faults }: FormAtFault) => {
    const newsletter = call.request.params['slug'] ? await newsletters.get(slugOf(call)) : undefined
    await showForm(call, typedForm(typed), { newsletter, typed, faults })
  }

  return [
    get('/newsletters', 'viewer', async ({ page }) => {
      page('desk/newsletters', { newsletters: await newsletters.listWithReaders() })
    }),
    get('/newsletters/new', 'editor', async (call) => {
      await showForm(call, { ...blankForm(await zone()), language: call.session.language })
    }),
    get('/newsletters/:slug', 'viewer', async (call) => {
      const newsletter = await newsletters.get(slugOf(call))
      await showForm(call, formOf(newsletter, await zone()), { newsletter })
    }),
    get('/newsletters/:slug/report', 'viewer', async (call) => {
      const { days } = reportQuery.parse(call.request.query)
      const newsletter = await newsletters.get(slugOf(call))
      const report = await reports.ofNewsletter(newsletter.slug, days)
      const mail = drawChart(
        report.days.map((day) => ({
          date: day.date,
          up: day.accepted,
          down: day.rejected + day.returned + day.complaints,
        })),
      )
      const readers = drawChart(
        report.days.map(({ date, joined, left }) => ({ date, up: joined, down: left })),
      )
      call.page('desk/report', { newsletter, report, mail, readers, days, reportDays })
    }),
    postForm('/newsletters/new', 'editor', showTyped, async ({ request, actor, redirect }) => {
      const change = toChange(request.body)
      const { slug, name } = newSlug.parse(request.body)
      const created = await newsletters.create({ slug: slug || slugFrom(name), ...change }, actor)
      redirect(`/newsletters/${encodeURIComponent(created.slug)}`, 'saved')
    }),
    postForm('/newsletters/:slug', 'editor', showTyped, async (call) => {
      const before = await newsletters.get(slugOf(call))
      requireFormVersion(call.request.body, formOf(before, await zone()))
      await newsletters.change(before.slug, toChange(call.request.body, before), call.actor)
      call.redirect(`/newsletters/${encodeURIComponent(slugOf(call))}`, 'saved')
    }),
  ]
}
