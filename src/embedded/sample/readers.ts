import type { Cadence } from '../../domain/newsletter.ts'

export interface SampleReader {
  /** Before `@reader.example`. */
  name: string
  language: string
  subscriptions: { newsletter: string; cadence: Cadence; alerts?: boolean; sections?: string[] }[]
}

const morning = (name: string, more: { alerts?: boolean; sections?: string[] } = {}): SampleReader => ({
  name,
  language: 'fr',
  subscriptions: [{ newsletter: 'le-matin', cadence: 'daily', ...more }],
})

const sabah = (name: string, sections: string[] = []): SampleReader => ({
  name,
  language: 'ar',
  subscriptions: [{ newsletter: 'as-sabah', cadence: 'daily', sections }],
})

export const sampleReaders: SampleReader[] = [
  morning('yamina', { alerts: true }),
  morning('mourad'),
  morning('fatma-zohra', { sections: ['a-la-une', 'evenement'] }),
  morning('nassim', { alerts: true, sections: ['faits-divers'] }),
  morning('salima', { sections: ['culture'] }),
  morning('tahar'),
  morning('dounia', { sections: ['a-la-une', 'evenement'] }),
  sabah('rabiha'),
  sabah('belkacem'),
  sabah('sarah', ['culture']),
  sabah('messaoud'),
  {
    name: 'houria',
    language: 'ar',
    subscriptions: [
      { newsletter: 'as-sabah', cadence: 'daily' },
      { newsletter: 'le-matin', cadence: 'daily', alerts: true },
    ],
  },
  {
    name: 'abdelkader',
    language: 'fr',
    subscriptions: [
      { newsletter: 'le-matin', cadence: 'alert', alerts: true },
      { newsletter: 'hebdo', cadence: 'weekly' },
    ],
  },
  { name: 'ines', language: 'fr', subscriptions: [{ newsletter: 'hebdo', cadence: 'weekly' }] },
  { name: 'slimane', language: 'fr', subscriptions: [{ newsletter: 'hebdo', cadence: 'weekly' }] },
]

export interface SampleResponse {
  article: string
  author: string
  authorUrl?: string
  kind?: 'trackback'
  html: string
  hoursAgo: number
}

export const sampleResponses: SampleResponse[] = [
  {
    article: 'rivage-101',
    author: 'Malek B.',
    hoursAgo: 1.6,
    html: '<p>J’étais à bord. Quand la sirène a retenti devant l’îlot, tout le monde pleurait, sauf le capitaine, qui avait « une poussière ».</p>',
  },
  {
    article: 'rivage-101',
    author: 'Une habitante de l’îlot',
    hoursAgo: 1.1,
    html: '<p>Merci aux pêcheurs, qui nous ont portés onze mois sans jamais demander un centime.</p>',
  },
  {
    article: 'rivage-101',
    author: 'Carnets de la baie',
    authorUrl: 'https://carnets.example/la-mouette-revient',
    kind: 'trackback',
    hoursAgo: 0.7,
    html: '<p>Le Rivage raconte le retour de la Mouette II. Nous avons retrouvé la photo de son baptême…</p>',
  },
  {
    article: 'rivage-102',
    author: 'Dr Farid',
    hoursAgo: 2.2,
    html: '<p>Patience a changé de cale ce matin. Prière de la laisser lire les filets.</p>',
  },
  {
    article: 'rivage-104',
    author: 'Un riverain',
    hoursAgo: 6.5,
    html: '<p>Une voix d’écart sur un chantier de deux ans, cela méritait peut-être un second débat.</p>',
  },
  {
    article: 'rivage-104',
    author: 'Fella',
    hoursAgo: 5.2,
    html: '<p>Enfin une station où ma mère pourra descendre avec son panier.</p>',
  },
  {
    article: 'rivage-106',
    author: 'L’épicier',
    hoursAgo: 12,
    html: '<p>On m’a rendu toutes mes caisses. Avec des oranges dedans.</p>',
  },
  {
    article: 'rivage-201',
    author: 'أمّ ياسين',
    hoursAgo: 1.9,
    html: '<p>ابني صعد العبّارة لأوّل مرّة وسألني: هل تبقى هذه المرّة؟ الحمد لله.</p>',
  },
  {
    article: 'rivage-203',
    author: 'موظّف متأخّر',
    hoursAgo: 7,
    html: '<p>احتفظت بالورقة وعلّقتها في المكتب.</p>',
  },
]
