import { z } from 'zod'
import { roles } from '../../domain/editor.ts'
import { withoutUndefined } from '../../domain/fields.ts'
import { interfaceLanguages } from '../../domain/language.ts'
import {
  feedTexts,
  isPerLanguage,
  links,
  publicationIn,
  switches,
  textFields,
  type Publication,
} from '../../domain/publication.ts'
import { tellChanges } from '../../http/audit-words.ts'
import {
  get,
  idOf,
  post,
  postForm,
  wordsOf,
  type DeskCall,
  type DeskRoute,
  type FormAtFault,
} from '../../http/desk.ts'
import { toPageRequest } from '../../http/route.ts'
import { textInputs } from '../../services/desk/publication-input.ts'
import { formVersion, requireFormVersion } from '../../http/form-version.ts'
import type { Services } from '../../services/services.ts'

/** An empty field clears. */
const orNull = <Text extends string>(text: Text) => (text || null) as Exclude<Text, ''> | null

const publicationForm = z.object({
  name: textInputs.name,
  description: textInputs.description,
  languages: z
    .string()
    .max(200)
    .transform((text) =>
      text
        .split(/[,;،]/)
        .map((tag) => tag.trim())
        .filter(Boolean),
    )
    .optional(),
  zone: z.string().trim().max(100).optional(),
  deskName: textInputs.deskName,
  postalAddress: z.string().trim().max(500).transform(orNull),
  contactEmail: z.union([z.literal(''), z.email()]).transform(orNull),
  ambiguousPolicy: z.enum(['resend_once', 'hold']),
  links: z.enum(links).optional(),
  /** Empty: as `links` has it. */
  feedText: z
    .enum(['', ...feedTexts])
    .transform(orNull)
    .optional(),
  responses: z.enum(switches).optional(),
  trackbacks: z.enum(switches).optional(),
})
/** What the form of the publication is filled from. */
function shownOf(stored: Publication): unknown[] {
  const settings = publicationIn(stored, stored.languages[0] ?? 'en')
  return publicationForm.keyof().options.map((name) => settings[name])
}
const editorForm = z.object({ email: z.email().max(254), role: z.enum(roles) })
const roleForm = z.object({ role: z.enum(roles) })
const authorForm = z.object({ author: z.string().trim().max(100) })
const keyForm = z.object({
  name: z.string().trim().min(1).max(100),
  role: z.enum(roles),
  /** 0 is without end. */
  lifetimeDays: z.coerce
    .number()
    .pipe(z.literal([30, 90, 365, 0]))
    .default(365),
})
/** The box that an admin ticks: it is easily clicked, and cannot be taken back. */
const sureForm = z.object({ sure: z.literal('yes') })
const languageForm = z.object({
  language: z.enum(interfaceLanguages),
  /** Where the editor was: a path below /desk. */
  back: z.string().max(2_000).startsWith('/').default('/settings').catch('/settings'),
})
const auditQuery = z.object({
  cursor: z.string().max(2_000).optional(),
  who: z.string().max(100).default('').catch(''),
  what: z.string().max(100).default('').catch(''),
})

const auditPageSize = 50

/** The publication, the people, the keys, and who did what. */
export function settingsDesk(services: Services): DeskRoute[] {
  const { publication, editors, signIn, invitations, keys, audit, restoredCopy, sample } = services
  const showSettings = async (
    { page, session }: DeskCall,
    more: Partial<FormAtFault> & { form?: string; editorId?: number } = {},
  ) => {
    const isAdmin = session.role === 'admin'
    const stored = await publication.get()
    page('desk/settings', {
      settings: publicationIn(stored, stored.languages[0] ?? 'en'),
      version: formVersion(shownOf(stored), more),
      sessions: await signIn.listSessions(session.editorId),
      editors: isAdmin ? await editors.list() : [],
      invitations: isAdmin ? await invitations.list() : [],
      now: new Date(),
      keys: isAdmin ? await keys.list() : [],
      sample: isAdmin ? await sample.find() : undefined,
      roles,
      links,
      feedTexts,
      switches,
      ...more,
    })
  }
  /** One of the page's forms as it was sent. */
  const showForm =
    (form: 'publication' | 'editors' | 'keys' | 'sample') => (call: DeskCall, refused: FormAtFault) =>
      showSettings(call, { form, ...refused })
  const showAuthor = (call: DeskCall, refused: FormAtFault) =>
    showSettings(call, { form: 'author', editorId: idOf(call.request), ...refused })
  return [
    get('/settings', 'viewer', (call) => showSettings(call)),
    postForm('/settings/publication', 'admin', showForm('publication'), async (call) => {
      const change = withoutUndefined(publicationForm.parse(call.request.body))
      const stored = await publication.get()
      requireFormVersion(call.request.body, shownOf(stored))
      await publication.set(inFirstLanguage(change, stored), call.actor)
      call.redirect('/settings', 'saved')
    }),
    postForm('/settings/sample', 'admin', showForm('sample'), async ({ request, actor, redirect }) => {
      sureForm.parse(request.body)
      await sample.remove(actor)
      redirect('/', 'sample-removed')
    }),
    post('/settings/release', 'admin', async ({ request, actor, redirect }) => {
      sureForm.parse(request.body)
      await restoredCopy.confirm(actor)
      redirect('/', 'mail-released')
    }),
    post('/settings/language', 'viewer', async ({ request, session, redirect }) => {
      const { language, back } = languageForm.parse(request.body)
      await editors.changeLanguage(session.editorId, language)
      redirect(back)
    }),
    postForm('/settings/editors', 'admin', showForm('editors'), async ({ request, actor, redirect }) => {
      await invitations.invite(editorForm.parse(request.body), actor)
      redirect('/settings', 'editor-invited')
    }),
    post('/settings/invitations/:id/withdraw', 'admin', async ({ request, actor, redirect }) => {
      await invitations.withdraw(idOf(request), actor)
      redirect('/settings', 'invitation-withdrawn')
    }),
    post('/settings/editors/:id/role', 'admin', async ({ request, actor, redirect }) => {
      await editors.changeRole(idOf(request), roleForm.parse(request.body).role, actor)
      redirect('/settings', 'saved')
    }),
    postForm('/settings/editors/:id/author', 'admin', showAuthor, async ({ request, actor, redirect }) => {
      await editors.changeAuthor(idOf(request), authorForm.parse(request.body).author || null, actor)
      redirect('/settings', 'saved')
    }),
    post('/settings/editors/:id/remove', 'admin', async ({ request, actor, redirect }) => {
      await editors.remove(idOf(request), actor)
      redirect('/settings', 'editor-removed')
    }),
    postForm('/settings/keys', 'admin', showForm('keys'), async ({ request, actor, page }) => {
      const { key } = await keys.create(keyForm.parse(request.body), actor)
      page('desk/key-created', { key })
    }),
    post('/settings/keys/:id/revoke', 'admin', async ({ request, actor, redirect }) => {
      await keys.revoke(idOf(request), actor)
      redirect('/settings', 'key-revoked')
    }),
    post('/settings/sessions/:id/end', 'viewer', async ({ request, session, redirect }) => {
      await signIn.endSession(session.editorId, idOf(request))
      redirect('/settings', 'session-ended')
    }),
    get('/audit', 'admin', async ({ request, session, page }) => {
      const { cursor, who, what } = auditQuery.parse(request.query)
      const entries = await audit.list(toPageRequest({ limit: auditPageSize, cursor }), {
        actor: who,
        action: what,
      })
      const { actors, actions, names } = await audit.describe()
      page('desk/audit', {
        actors,
        actions,
        names,
        who,
        what,
        next: entries.next,
        entries: entries.data.map((entry) => ({
          ...entry,
          changes: tellChanges(entry.detail, session.language),
        })),
        subjects: wordsOf(
          'desk.audit.subjects',
          entries.data.map(({ subject }) => subject.split(':')[0] ?? ''),
        ),
        words: wordsOf('desk.audit.actions', [...actions, ...entries.data.map(({ action }) => action)]),
      })
    }),
  ]
}

/** Where there is one text per language, the form shows and changes that of the first. */
const inFirstLanguage = <Change extends object>(change: Change, stored: Publication): Change => {
  const [first = ''] = stored.languages
  const several = textFields.filter((field) => field in change && isPerLanguage(stored[field]))
  return {
    ...change,
    ...Object.fromEntries(several.map((field) => [field, { [first]: change[field as keyof Change] }])),
  }
}
