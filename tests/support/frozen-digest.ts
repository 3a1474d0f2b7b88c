import type { FrozenArticle, FrozenDigest } from '../../src/domain/digests/frozen-digest.ts'

type Language = 'fr' | 'ar' | 'en'

interface Words {
  newsletter: string
  publication: string
  address: string
  subject: string
  intro: string
  headings: [string, string]
  stories: [title: string, summary: string, byline: string, section: string][]
  mostRead: string[]
}

const words: Record<Language, Words> = {
  fr: {
    newsletter: 'Le Matin',
    publication: 'La Gazette du Littoral',
    address: '12, rue du Port\n16000 Port-Sablon',
    subject: 'Le tramway arrivera au port avant l’été',
    intro:
      'Bonjour,\n\nla ville change de rythme cette semaine : voici ce qu’il faut en savoir avant le café.',
    headings: ['Évènement', 'Culture'],
    stories: [
      [
        'Le tramway arrivera au port avant l’été',
        'Après deux ans de travaux, la ligne 2 reliera la gare au quai des Pêcheurs en onze minutes. Les premiers essais commencent lundi, à blanc, de cinq heures à minuit.',
        'Nadia Ferhat et Paul Lemoine',
        'À la une',
      ],
      [
        'Une école d’horlogerie rouvre ses portes après quarante ans',
        'Vingt-quatre élèves apprendront à réparer les pendules publiques de la région.',
        'Samir Belkacem',
        'Évènement',
      ],
      [
        'Le marché couvert passe à l’énergie solaire',
        'Sur le toit de la halle, trois cents panneaux couvriront les besoins des chambres froides.',
        'Inès Moreau',
        'Évènement',
      ],
      [
        '« Les voix du sel », un premier roman salué par les libraires',
        'Lina Aït raconte trois générations de paludiers, entre silence et colère.',
        'Karim Haddad',
        'Culture',
      ],
    ],
    mostRead: [
      'Ce que change le nouveau plan de circulation',
      'Recette : la soupe du vendredi',
      'Le phare raconté par son dernier gardien',
    ],
  },
  ar: {
    newsletter: 'الصباح',
    publication: 'جريدة الساحل',
    address: '12، شارع الميناء\n16000 بور سابلون',
    subject: 'الترامواي يصل إلى الميناء قبل الصيف',
    intro: 'صباح الخير،\n\nتغيّر المدينة إيقاعها هذا الأسبوع: إليكم أهم ما ينبغي معرفته قبل فنجان القهوة.',
    headings: ['الحدث', 'ثقافة'],
    stories: [
      [
        'الترامواي يصل إلى الميناء قبل الصيف',
        'بعد عامين من الأشغال، يربط الخط الثاني المحطة برصيف الصيادين في إحدى عشرة دقيقة. تبدأ التجارب الأولى يوم الاثنين من الخامسة صباحاً إلى منتصف الليل.',
        'نادية فرحات وبول لوموان (Paul Lemoine)',
        'الصفحة الأولى',
      ],
      [
        'مدرسة لصناعة الساعات تفتح أبوابها بعد أربعين سنة',
        'يتعلّم أربعة وعشرون تلميذاً إصلاح الساعات العمومية في المنطقة.',
        'سمير بلقاسم',
        'الحدث',
      ],
      [
        'السوق المغطاة تنتقل إلى الطاقة الشمسية',
        'على سطح السوق، تكفي ثلاثمئة لوحة حاجات غرف التبريد.',
        'إيناس مورو',
        'الحدث',
      ],
      [
        '«أصوات الملح»، رواية أولى يحتفي بها باعة الكتب',
        'تروي لينا آيت حكاية ثلاثة أجيال من عمّال الملاحات، بين الصمت والغضب.',
        'كريم حداد',
        'ثقافة',
      ],
    ],
    mostRead: ['ما الذي يغيّره مخطط السير الجديد', 'وصفة: حساء يوم الجمعة', 'المنارة كما يرويها آخر حرّاسها'],
  },
  en: {
    newsletter: 'Morning Post',
    publication: 'The Coast Gazette',
    address: '12 Harbour Street\n16000 Port-Sablon',
    subject: 'The tram will reach the harbour before summer',
    intro: 'Good morning,\n\nthe city changes its pace this week: here is what to know before your coffee.',
    headings: ['News', 'Culture'],
    stories: [
      [
        'The tram will reach the harbour before summer',
        'After two years of work, line 2 will link the station and Fishermen’s Quay in eleven minutes. The first trial runs start on Monday.',
        'Nadia Ferhat and Paul Lemoine',
        'Front page',
      ],
      [
        'A school of clockmaking reopens after forty years',
        'Twenty-four pupils will learn to mend the public clocks of the region.',
        'Samir Belkacem',
        'News',
      ],
      [
        'The covered market turns to the sun',
        'Three hundred panels on the roof will cover what the cold rooms need.',
        'Ines Moreau',
        'News',
      ],
      [
        '“Voices of Salt”, a first novel that booksellers love',
        'Lina Ait tells of three generations of salt workers, between silence and anger.',
        'Karim Haddad',
        'Culture',
      ],
    ],
    mostRead: [
      'What the new traffic plan changes',
      'Recipe: Friday soup',
      'The lighthouse, told by its last keeper',
    ],
  },
}

const locales = { fr: 'fr', ar: 'ar-DZ', en: 'en' }
const site = 'https://news.example.org'

/** A frozen digest of four articles: a lead, two under one heading, one without a picture under another. */
export function aFrozenDigest(overrides: Partial<FrozenDigest> & { language?: Language } = {}): FrozenDigest {
  const { language = 'fr', ...rest } = overrides
  const text = words[language]
  const articles = text.stories.map(([title, summary, byline, section], index): FrozenArticle => ({
    id: index + 1,
    title,
    summary,
    url: `${site}/articles/${language}-${index + 1}`,
    language,
    byline,
    sectionNames: [section],
    publishedAt: '2026-11-22T18:00:00.000Z',
    ...(index < 3 && {
      picture: { url: `${site}/pictures/${index + 1}.jpg`, alt: title, width: 1200, height: 800 },
    }),
  }))
  return {
    digestId: 42,
    cadence: 'daily',
    template: 'digest',
    subject: text.subject,
    intro: text.intro,
    date: '2026-11-23T06:00:00.000Z',
    newsletter: {
      slug: { fr: 'le-matin', ar: 'as-sabah', en: 'morning' }[language],
      name: text.newsletter,
      language,
    },
    publication: {
      name: text.publication,
      postalAddress: text.address,
      publicUrl: site,
      locale: locales[language],
      zone: 'Africa/Algiers',
    },
    blocks: [
      { kind: 'lead', title: '', articleIds: [1] },
      { kind: 'section', title: text.headings[0], url: `${site}/sections/evenement`, articleIds: [2, 3] },
      { kind: 'section', title: text.headings[1], url: `${site}/sections/culture`, articleIds: [4] },
    ],
    articles,
    mostRead: text.mostRead.map((title, index) => ({
      title,
      url: `${site}/articles/read-${language}-${index}`,
    })),
    more: { count: 7, url: `${site}/newsletters/le-matin` },
    ...rest,
  }
}
