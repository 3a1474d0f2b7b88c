import type { SampleArticle } from './sample-article.ts'

export const frenchArticles: SampleArticle[] = [
  {
    externalId: 'rivage-101',
    hoursAgo: 2,
    title: 'Après onze mois à quai, le bac de l’îlot reprend la mer',
    deck: 'Moteur neuf, coque repeinte et même capitaine : la navette a emporté hier soir ses soixante premiers passagers, sous les klaxons de tout le port.',
    sections: ['a-la-une', 'evenement'],
    dossiers: ['le-nouveau-port'],
    tags: ['port', 'transports'],
    authors: ['Nadia Belamri'],
    picture: {
      name: 'ferry',
      alt: 'Un petit bac blanc et rouge quitte le port au lever du jour, le phare derrière lui.',
      credit: 'Samir Tadjine',
    },
    responses: 'open',
    views: { before: 412, today: 967 },
    html: `<p>À dix-huit heures précises, Slimane Ferradji a retiré sa casquette, a regardé la foule massée sur le quai des Voiles et a dit, sans micro : « Bon, on y va ? » Onze mois qu’il attendait de poser la question.</p>
<p>La <em>Mouette II</em>, seul lien public entre Marsa-Safia et l’îlot aux Figuiers, était immobilisée depuis décembre dernier, quand son arbre d’hélice s’est rompu en pleine traversée. Il a fallu trouver la pièce, puis l’argent, puis un chantier. « Dans cet ordre, et chaque fois plus lentement », résume le capitaine.</p>
<h2>Quarante minutes au lieu de douze</h2>
<p>Pendant tout ce temps, les cent quarante habitants de l’îlot ont dépendu des barques de pêche, quand la mer le voulait bien. L’institutrice, Houria Sellam, a fait le trajet debout, son cartable dans un sac plastique. « Mes élèves ont appris la météo marine avant la table de sept », sourit-elle.</p>
<p>La commune a financé les deux tiers de la réparation, une souscription le reste : deux mille trois cents personnes ont donné, souvent le prix d’un billet aller-retour. Leurs noms seront gravés sur une plaque dans la cabine. Il a fallu choisir une petite police.</p>
<p>Le bac assure désormais huit rotations par jour, neuf le vendredi. Le tarif ne change pas ; les élèves et les plus de soixante-cinq ans ne paient plus.</p>
<p>Hier soir, la première passagère à débarquer sur l’îlot fut Mme Zohra, quatre-vingt-un ans, un plateau de makrout sur les genoux. Elle a prévenu qu’elle en voulait un autre pour le retour.</p>`,
  },
  {
    externalId: 'rivage-102',
    hoursAgo: 3.5,
    title: 'Un phoque moine s’installe sur la cale des pêcheurs',
    deck: 'L’animal, que l’on n’avait pas vu dans la baie depuis une génération, a choisi la place du patron le plus bougon du port.',
    sections: ['faits-divers'],
    tags: ['port', 'nature'],
    authors: ['Karim Oudjali'],
    picture: {
      name: 'seal',
      alt: 'Un phoque dort sur une cale de pierre, entre deux barques de pêche.',
      credit: 'Samir Tadjine',
    },
    responses: 'open',
    views: { before: 188, today: 1243 },
    html: `<p>« J’ai cru qu’on m’avait volé ma bâche et qu’on me l’avait rendue mouillée. » Il était cinq heures du matin, mardi, quand Ammi Rachid a voulu descendre sa barque. La bâche a levé la tête, a bâillé, et s’est rendormie.</p>
<p>Le phoque moine de Méditerranée compte parmi les mammifères marins les plus rares du monde. Une biologiste de la station marine, Dounia Lakhal, a confirmé l’identification depuis le quai : une femelle adulte, en bonne santé, sans doute venue se reposer après le coup de vent de dimanche.</p>
<p>Un périmètre de trente mètres est en place. Les pêcheurs ont déplacé quatorze barques sans qu’on le leur demande, et le marché à la criée se tient désormais à voix basse, ce qui, de l’avis général, est le vrai miracle.</p>
<p>Consigne aux curieux : ni chien, ni drone, ni sardine. « Elle pêche mieux que nous », précise Ammi Rachid, qui l’a baptisée Patience.</p>`,
  },
  {
    externalId: 'rivage-103',
    hoursAgo: 5,
    title: 'Au théâtre des Amandiers, une troupe de boulangers répète à l’aube',
    deck: 'Ils pétrissent la nuit, ils jouent au petit matin. Leur « Avare » a fait salle comble trois fois.',
    sections: ['culture'],
    tags: ['theatre'],
    authors: ['Lila Mansouri'],
    picture: {
      name: 'theatre',
      alt: 'Une scène de théâtre aux rideaux rouges, une chaise vide sous un projecteur.',
      credit: 'Atelier du Rivage',
    },
    responses: 'open',
    views: { before: 95, today: 318 },
    html: `<p>Le rideau se lève à six heures et demie, parce qu’à huit heures Harpagon ouvre sa boutique. Dans la salle, des infirmiers qui finissent leur garde, deux chauffeurs de bus, une classe de terminale, et une odeur de brioche dont l’ouvreuse refuse de révéler la provenance.</p>
<p>La troupe du Levain est née d’une plaisanterie. « On se parlait par la porte du fournil, entre deux fournées, raconte Mourad Ghezal, boulanger rue des Escaliers. Un jour, j’ai répondu en alexandrins pour faire rire l’apprenti. Il m’a demandé d’où ça sortait. Je n’en savais rien. »</p>
<h2>Une cassette en pain d’épices</h2>
<p>Ils sont neuf aujourd’hui, de dix-neuf à soixante-trois ans. Le décor tient dans un fourgon de livraison ; la fameuse cassette est en pain d’épices et ne survit jamais à la dernière scène. La metteuse en scène, Inès Rahal, a transposé la pièce dans une boulangerie où l’on compte la farine au gramme.</p>
<p>« L’avarice, ils connaissent les prix, dit-elle. Ils ne jouent pas un caractère, ils jouent une fin de mois. » Le public rit, puis rit un peu moins, puis applaudit debout.</p>
<p>Prochaines représentations jeudi et samedi, à six heures trente. L’entrée est à prix libre, le croissant non.</p>`,
  },
  {
    externalId: 'rivage-104',
    hoursAgo: 8,
    title: 'Tramway : la ligne bleue passera finalement par le marché',
    deck: 'Le conseil a tranché à une voix près. Les commerçants de la place aux Laines auront leur station, et deux ans de travaux.',
    sections: ['evenement', 'a-la-une'],
    tags: ['transports', 'conseil'],
    authors: ['Karim Oudjali', 'Nadia Belamri'],
    picture: {
      name: 'tram',
      alt: 'Une rame de tramway bleue arrive à une station bordée de palmiers.',
      credit: 'Atelier du Rivage',
    },
    responses: 'open',
    views: { before: 1904, today: 731 },
    html: `<p>Il était minuit moins dix lorsque la doyenne du conseil, Mme Yamina Toubal, a levé la main une seconde fois pour que l’on recompte. Quinze voix contre quatorze : le tracé par le marché l’emporte sur celui du front de mer.</p>
<p>La décision clôt trois ans de réunions, quatre enquêtes et une pétition de onze mille noms. Elle ajoute huit cents mètres de rails, une station souterraine sous la place aux Laines et dix-neuf mois au calendrier, si tout va bien.</p>
<h2>« On préfère la poussière à l’oubli »</h2>
<p>Chez les commerçants, le soulagement se mêle au calcul. « Deux ans de chantier devant ma vitrine, je sais ce que c’est, dit Fatma-Zohra Kaci, marchande de tissus. Mais un tram qui passe ailleurs, c’est pour toujours. On préfère la poussière à l’oubli. »</p>
<p>Un fonds d’aide couvrira jusqu’à la moitié du chiffre d’affaires perdu, sur présentation des comptes. Plusieurs élus ont demandé que l’on accepte aussi les cahiers d’écolier : c’est là que la plupart des comptes se trouvent.</p>
<p>Du côté du front de mer, on se console avec une piste cyclable. Les premiers travaux de réseau commencent au printemps.</p>`,
  },
  {
    externalId: 'rivage-105',
    hoursAgo: 11,
    title: 'Eau : fin des coupures de nuit dans quatre quartiers',
    deck: 'La nouvelle conduite du plateau est en service. Reste à convaincre les habitants qu’ils peuvent vider leurs bidons.',
    sections: ['a-la-une'],
    tags: ['eau'],
    authors: ['Samir Tadjine'],
    picture: {
      name: 'rooftops',
      alt: 'Terrasses et coupoles d’une ville blanche au crépuscule, avec des citernes sur les toits.',
      credit: 'Samir Tadjine',
    },
    responses: 'closed',
    views: { before: 655, today: 204 },
    html: `<p>Dans la cuisine de Malika Hamroun, au troisième étage de la cité des Tamaris, onze bidons bleus attendent le long du mur. Depuis lundi, ils ne servent plus à rien. « Je les garde quand même, dit-elle. L’eau, c’est comme les cousins : on est content quand elle vient, mais on ne vend pas le matelas. »</p>
<p>Mise en service avec six semaines d’avance, la conduite du plateau alimente désormais sans interruption les Tamaris, la Citadelle, les Deux-Moulins et le quartier des Figuiers : trente-sept mille personnes, qui n’avaient d’eau qu’un jour sur deux entre minuit et cinq heures.</p>
<p>La régie recommande de laisser couler le robinet trois minutes le premier jour et de nettoyer les citernes avant de les refermer. Un numéro gratuit répond de sept heures à vingt-deux heures, en arabe et en français.</p>
<p>Les quartiers de l’est attendront l’été : il faut d’abord remplacer une vanne qui date de l’année où l’on a marché sur la Lune.</p>`,
  },
  {
    externalId: 'rivage-106',
    hoursAgo: 14,
    title: 'Une tonne d’oranges dévale la rue des Escaliers',
    deck: 'Aucun blessé, un camion confus, et la plus grande distribution spontanée de vitamines de l’histoire de la ville.',
    sections: ['faits-divers'],
    authors: ['Karim Oudjali'],
    picture: {
      name: 'oranges',
      alt: 'Des oranges roulent le long d’une rue en escalier entre des murs blancs.',
      credit: 'Atelier du Rivage',
    },
    responses: 'open',
    views: { before: 2310, today: 588 },
    html: `<p>Cent douze marches, une tonne d’oranges, quarante secondes. C’est, au chronomètre d’un coiffeur posté à mi-pente, le temps qu’il a fallu à la cargaison pour rejoindre la mer.</p>
<p>Le frein à main n’est pas en cause, assure le chauffeur : c’est la ridelle. Le tribunal du café d’en face, réuni aussitôt, a conclu à la pente.</p>
<p>Les enfants de l’école voisine ont ramassé, les mères ont trié, un épicier a prêté ses caisses. À midi, deux cents kilos étaient sauvés et le propriétaire, venu constater les dégâts, repartait avec une bouteille de jus à son nom.</p>
<p>La rue sent bon. Elle colle, aussi.</p>`,
  },
  {
    externalId: 'rivage-107',
    hoursAgo: 19,
    title: 'La bibliothèque prête désormais des ouds et des mandoles',
    deck: 'Trente instruments, une carte de lecteur, trois semaines. Le premier concert des emprunteurs est déjà complet.',
    sections: ['culture'],
    tags: ['musique', 'bibliotheque'],
    authors: ['Lila Mansouri'],
    picture: {
      name: 'oud',
      alt: 'Un oud posé contre une étagère de livres.',
      credit: 'Atelier du Rivage',
    },
    responses: 'closed',
    views: { before: 341, today: 126 },
    html: `<p>Entre les dictionnaires et les romans policiers, un rayon nouveau : cordes pincées. On y emprunte un oud comme on emprunte un livre, avec la même carte et le même tampon, et la même amende d’un dinar par jour de retard.</p>
<p>L’idée vient d’un lecteur, luthier à la retraite, qui a légué son atelier. « Il y avait trente instruments et aucun héritier, raconte la directrice, Salima Benhadj. Les vendre, c’était une bibliothèque qu’on brûle. »</p>
<p>Un étudiant en musique passe le mercredi pour accorder, rassurer et changer les cordes. La liste d’attente compte déjà deux cents noms, dont un maçon de cinquante-huit ans qui n’avait jamais osé demander.</p>
<p>Le concert du mois prochain réunira les trente premiers. « On ne promet pas que ce sera juste, dit la directrice. On promet que ce sera rendu. »</p>`,
  },
  {
    externalId: 'rivage-108',
    hoursAgo: 23,
    title: 'Trois cents coureurs et un âne sur la Corniche',
    deck: 'Le semi-marathon a couronné une institutrice, un facteur et, hors concours, Boualem, quatre pattes et demie d’obstination.',
    sections: ['evenement'],
    tags: ['sport'],
    authors: ['Samir Tadjine'],
    picture: {
      name: 'corniche',
      alt: 'Une route en corniche longe une mer turquoise ; de petites silhouettes y courent.',
      credit: 'Samir Tadjine',
    },
    responses: 'open',
    views: { before: 874, today: 65 },
    html: `<p>Houria Sellam enseigne sur l’îlot et court sur le continent. Hier, elle a bouclé les vingt et un kilomètres de la Corniche en une heure vingt-quatre, sept minutes de mieux que l’an dernier. « J’ai eu onze mois pour m’entraîner à rattraper des bateaux », a-t-elle dit en recevant sa coupe.</p>
<p>Chez les hommes, le facteur Nassim Bouchareb s’impose pour la troisième fois d’affilée. Son secret, répète-t-il, tient en une phrase : « Les chiens. »</p>
<p>L’âne Boualem, échappé d’un jardin au kilomètre six, a suivi le peloton jusqu’au phare, s’est arrêté devant le stand des dattes et n’a plus voulu en bouger. Le jury lui a remis un dossard. Il l’a mangé.</p>`,
  },
  {
    externalId: 'rivage-109',
    hoursAgo: 27,
    title: 'Nouveau port : ce que dit vraiment le rapport',
    deck: 'Quatre cents pages, trois scénarios, et une annexe que personne n’avait lue. Nous l’avons lue.',
    sections: ['a-la-une'],
    dossiers: ['le-nouveau-port'],
    tags: ['port', 'conseil'],
    authors: ['Nadia Belamri'],
    picture: {
      name: 'cranes',
      alt: 'Des grues portuaires se découpent sur un ciel orange.',
      credit: 'Samir Tadjine',
    },
    responses: 'open',
    views: { before: 1520, today: 143 },
    html: `<p>Le rapport sur l’avenir du port pèse un kilo neuf cents. On en a surtout cité la page douze, celle des emplois. Voici le reste.</p>
<h2>Trois scénarios</h2>
<p>Le premier creuse le bassin existant : c’est le moins cher, et il condamne la petite plage. Le deuxième construit une digue au nord : il double la capacité et déplace la criée. Le troisième ne construit presque rien, répare ce qui existe et parie sur le cabotage.</p>
<ul><li>Scénario A : quatre ans de travaux, deux cents emplois durables.</li><li>Scénario B : sept ans, six cents emplois, dont la moitié pendant le chantier.</li><li>Scénario C : deux ans, quatre-vingts emplois, et un port qui reste celui des pêcheurs.</li></ul>
<h2>L’annexe 14</h2>
<p>C’est dans les dernières pages que se trouve la carte des courants. Elle montre que la digue du scénario B ensablerait l’entrée de l’îlot en moins de dix ans. « Nous l’avions signalé, confirme l’ingénieure Dalila Ouarab. On nous a répondu que c’était une annexe. »</p>
<p>La mairie annonce une réunion publique le mois prochain. Elle aura lieu à la criée, ce qui est déjà une réponse.</p>`,
  },
  {
    externalId: 'rivage-110',
    hoursAgo: 33,
    title: 'L’aiguille de la poste retrouvée dans un atelier de vélos',
    deck: 'Disparue depuis le printemps, la grande aiguille de l’horloge servait de dérailleur à l’enseigne d’en face.',
    sections: ['faits-divers'],
    authors: ['Karim Oudjali'],
    picture: {
      name: 'clock',
      alt: 'La façade d’une poste et son horloge, à laquelle manque une aiguille.',
      credit: 'Atelier du Rivage',
    },
    responses: 'closed',
    views: { before: 1187, today: 39 },
    html: `<p>Depuis mars, il était toujours quelque chose moins le quart à Marsa-Safia. On s’y était fait. Les rendez-vous se prenaient « vers la petite aiguille ».</p>
<p>Tout s’est dénoué samedi, lorsqu’un cycliste levant les yeux chez son réparateur a reconnu, entre deux roues peintes, un mètre dix de fonte du siècle dernier. Le patron jure l’avoir achetée à un ferrailleur, reçu à l’appui. Il l’a rendue avec des excuses et un pneu neuf pour le vélo du facteur.</p>
<p>L’horloger, M. Tahar, la remontera lundi. Il demande aux habitants de ne pas s’inquiéter si, pendant une heure, le temps recule.</p>`,
  },
  {
    externalId: 'rivage-111',
    hoursAgo: 40,
    title: 'Le dernier projectionniste rallume le Splendide',
    deck: 'Fermé depuis vingt-deux ans, le cinéma de la rue du Phare rouvre vendredi. La cabine, elle, n’avait jamais été rangée.',
    sections: ['culture', 'a-la-une'],
    tags: ['cinema'],
    authors: ['Lila Mansouri'],
    picture: {
      name: 'cinema',
      alt: 'La façade éclairée d’un vieux cinéma, la nuit, sous la pluie.',
      credit: 'Atelier du Rivage',
    },
    responses: 'open',
    views: { before: 2045, today: 97 },
    html: `<p>Abdelkader Meziane a gardé la clé. Pendant vingt-deux ans, il est monté chaque premier dimanche du mois dans la cabine du Splendide, pour graisser un projecteur qui n’avait rien à projeter. « Une machine qui dort se vexe », explique-t-il.</p>
<p>Vendredi, elle tournera. La salle a été reprise par une coopérative de cent soixante spectateurs, fauteuils recousus un à un, écran lavé au savon de Marseille. Le son vient d’un ancien studio de radio ; le pop-corn, d’un négociateur infatigable qui a douze ans.</p>
<p>Le premier film a été choisi par tirage au sort entre les habitants du quartier. C’est une comédie. « Heureusement, dit le projectionniste. Pour pleurer, je me charge de tout. »</p>`,
  },
  {
    externalId: 'rivage-112',
    hoursAgo: 46,
    title: 'Crue de l’oued : la digue des Tamaris a tenu',
    deck: 'Soixante-dix millimètres en trois heures et pas une cave inondée. Récit d’une nuit que l’on craignait depuis dix ans.',
    sections: ['evenement'],
    tags: ['eau'],
    authors: ['Samir Tadjine'],
    responses: 'closed',
    views: { before: 932, today: 22 },
    html: `<p>À deux heures du matin, le niveau montait d’une main par minute. À trois heures, il ne montait plus. Entre les deux, cent vingt volontaires avaient posé huit cents sacs de sable là où, voilà dix ans, l’eau avait emporté le pont.</p>
<p>La digue, achevée en juin, a joué son rôle. Les capteurs aussi, qui ont réveillé le quartier avant la pluie. « C’est la première fois que je suis content d’être réveillé par un téléphone », dit un habitant, les bottes encore aux pieds.</p>
<p>Les écoles rouvrent ce matin. Les sacs de sable resteront jusqu’à jeudi, par superstition.</p>`,
  },
  {
    externalId: 'rivage-113',
    hoursAgo: 62,
    title: 'Les pêcheurs veulent leur place dans le nouveau port',
    deck: 'Ils sont deux cent dix patrons, ils ont un plan, et ils l’ont dessiné eux-mêmes sur une voile.',
    sections: ['evenement'],
    dossiers: ['le-nouveau-port'],
    tags: ['port'],
    authors: ['Nadia Belamri'],
    picture: {
      name: 'harbour',
      alt: 'Des barques de pêche colorées amarrées dans un port calme, le matin.',
      credit: 'Samir Tadjine',
    },
    responses: 'open',
    views: { before: 1266, today: 31 },
    html: `<p>Le plan mesure quatre mètres sur trois. Il est peint sur une voile d’artimon, suspendue depuis dimanche à l’entrée de la criée. On y voit les postes d’amarrage, l’atelier des filets, la fontaine, et une crèche, « parce que la mer se lève à quatre heures », dit Saliha Amrouni, patronne du <em>Jasmin</em>.</p>
<p>Les pêcheurs ne refusent aucun des trois scénarios. Ils demandent à être consultés avant, et non remerciés après. Leur syndicat a relevé les profondeurs à la ligne, quai par quai, et trouvé quarante centimètres de différence avec le rapport officiel.</p>
<p>La mairie a emprunté la voile pour l’étudier. Elle a promis de la rendre sèche.</p>`,
  },
  {
    externalId: 'rivage-114',
    hoursAgo: 95,
    title: 'Cantines : le pain du quartier revient à table',
    deck: 'Treize boulangers livrent désormais vingt-neuf écoles, à vélo, avant sept heures.',
    sections: ['a-la-une'],
    tags: ['ecole'],
    authors: [],
    responses: 'closed',
    views: { before: 548, today: 8 },
    html: `<p>Le pain des cantines faisait quatre-vingts kilomètres. Il en fait désormais deux, sur un porte-bagages. La convention signée avec treize boulangers prévoit une farine de la région, moins de sel, et une fournée aux olives le jeudi.</p>
<p>Le coût est le même, à une demi-pièce près par élève. Le gaspillage, lui, a baissé de moitié dès la première semaine : « Ils finissent la croûte », constate une cantinière, qui n’en revient pas.</p>`,
  },
]
