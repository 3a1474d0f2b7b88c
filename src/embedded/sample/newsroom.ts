import type { Newsletter } from '../../domain/newsletter.ts'
import type { Publication } from '../../domain/publication.ts'
import type { NewSelection } from '../../store/articles/selections.ts'

/** An invented bilingual newspaper in an invented harbour town; every person in it is invented too. */
export const samplePublication: Partial<Publication> = {
  name: 'Le Rivage',
  description: 'Le quotidien bilingue de Marsa-Safia et de sa baie',
  languages: ['fr', 'ar'],
  zone: 'Africa/Algiers',
  locales: { ar: 'ar-DZ' },
  deskName: 'La rédaction',
  postalAddress: '12, rue du Phare, Marsa-Safia',
  contactEmail: 'redaction@rivage.example',
}

const tag = (slug: string, name: string): NewSelection => ({ kind: 'tag', slug, names: { und: name } })

export const sampleSelections: (NewSelection & { descriptions?: Record<string, string> })[] = [
  { kind: 'section', slug: 'a-la-une', names: { fr: 'À la Une', ar: 'الواجهة', en: 'Front page' } },
  { kind: 'section', slug: 'evenement', names: { fr: 'Évènement', ar: 'الحدث', en: 'Event' } },
  { kind: 'section', slug: 'faits-divers', names: { fr: 'Faits divers', ar: 'متفرّقات', en: 'In brief' } },
  { kind: 'section', slug: 'culture', names: { fr: 'Culture', ar: 'ثقافة', en: 'Culture' } },
  {
    kind: 'dossier',
    slug: 'le-nouveau-port',
    names: { fr: 'Le nouveau port', ar: 'الميناء الجديد', en: 'The new harbour' },
    descriptions: {
      fr: 'Creuser, construire ou réparer : le chantier qui décidera du visage de la baie.',
      ar: 'تعميق أم بناء أم إصلاح: ورشة سترسم ملامح الخليج.',
      en: 'Dredge, build or repair: the works that will decide what the bay looks like.',
    },
  },
  tag('theatre', 'Théâtre'),
  tag('cinema', 'Cinéma'),
  tag('musique', 'Musique'),
  tag('bibliotheque', 'Bibliothèque'),
  tag('transports', 'Transports'),
  tag('conseil', 'Conseil municipal'),
  tag('nature', 'Nature'),
  tag('sport', 'Sport'),
  tag('ecole', 'École'),
  tag('port', 'Port'),
  tag('eau', 'Eau'),
]

const zone = 'Africa/Algiers'

type SampleNewsletter = Pick<
  Newsletter,
  'slug' | 'name' | 'description' | 'language' | 'blocks' | 'maxArticles' | 'cadences' | 'repeats'
>

export const sampleNewsletters: SampleNewsletter[] = [
  {
    slug: 'le-matin',
    name: 'Le Matin du Rivage',
    description: 'Chaque matin à sept heures, l’essentiel de la baie, de la une aux faits divers.',
    language: 'fr',
    blocks: [
      { kind: 'lead' },
      { kind: 'section', slug: 'evenement' },
      { kind: 'section', slug: 'faits-divers' },
      { kind: 'section', slug: 'culture' },
      { kind: 'most-read' },
    ],
    maxArticles: 10,
    cadences: [{ cadence: 'daily', time: '07:00', zone }, { cadence: 'alert' }],
    repeats: 'never',
  },
  {
    slug: 'as-sabah',
    name: 'صباح المرسى',
    description: 'كلّ صباح في السابعة: أهمّ أخبار المدينة والخليج.',
    language: 'ar',
    blocks: [
      { kind: 'lead' },
      { kind: 'section', slug: 'evenement' },
      { kind: 'section', slug: 'faits-divers' },
      { kind: 'section', slug: 'culture' },
    ],
    maxArticles: 8,
    cadences: [{ cadence: 'daily', time: '07:00', zone }],
    repeats: 'never',
  },
  {
    slug: 'hebdo',
    name: 'L’Hebdo du Rivage',
    description: 'Le vendredi, les histoires de la semaine à lire sans se presser.',
    language: 'fr',
    blocks: [{ kind: 'lead' }, { kind: 'dossier', slug: 'le-nouveau-port' }, { kind: 'most-read' }],
    maxArticles: 12,
    cadences: [{ cadence: 'weekly', weekday: 5, time: '18:00', zone }],
    repeats: 'within-newsletter',
  },
]
