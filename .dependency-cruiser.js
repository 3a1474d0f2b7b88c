// Who may import whom: docs/architecture.md says why.
const only = (name, library, homes) => ({
  name: `one-home-${name}`,
  severity: 'error',
  from: { path: '^(src|workers)/', pathNot: homes },
  to: { path: `node_modules/(${library})/`, dependencyTypesNot: ['type-only'] },
})

/** Of ours, a folder may reach these at run time, and of others the types alone. */
const layer = (name, from, { runs, types = [] }) => [
  {
    name: `layer-${name}`,
    severity: 'error',
    from: { path: from },
    to: { path: '^(src|workers)/', pathNot: [from, ...runs, ...types] },
  },
  {
    name: `layer-${name}-types`,
    comment: 'These are handed in; only their types are imported.',
    severity: 'error',
    from: { path: from },
    to: { path: types.length > 0 ? types : '^$', dependencyTypesNot: ['type-only'] },
  },
]

/** Folders (`store/`) and files (`errors`) of src. */
const of = (...names) => names.map((name) => `^src/${name}${name.endsWith('/') ? '' : '\\.ts$'}`)

export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'src-not-workers',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/start\\.ts$' },
      to: { path: '^workers/' },
    },
    {
      name: 'only-app-imports-routes',
      severity: 'error',
      from: { path: '^(src|workers)/', pathNot: ['^src/app\\.ts$', '^src/routes/'] },
      to: { path: '^src/routes/' },
    },
    ...layer('domain', '^src/domain/', { runs: of('errors') }),
    ...layer('store', '^src/store/', { runs: of('domain/', 'errors') }),
    ...layer('feeds', '^src/feeds/', { runs: of('domain/') }),
    ...layer('mail', '^src/mail/', {
      runs: of('domain/', 'errors', 'locales', 'isolation'),
      types: of('log'),
    }),
    ...layer('queue', '^src/queue/', { runs: of('domain/', 'store/client'), types: of('log') }),
    ...layer('services', '^src/services/', {
      runs: of('domain/', 'errors', 'locales', 'isolation'),
      types: of('store/', 'mail/', 'feeds/', 'queue/', 'config', 'log'),
    }),
    ...layer('import', '^src/import/', { runs: of('domain/', 'services/', 'errors'), types: of('store/') }),
    ...layer('http', '^src/http/', {
      runs: of('domain/', 'errors', 'locales'),
      types: of('services/', 'context', 'log', 'metrics'),
    }),
    ...layer('routes', '^src/routes/', { runs: of('services/', 'http/', 'domain/', 'errors', 'lifecycle') }),
    ...layer('doctor', '^src/doctor/', {
      runs: of('services/', 'mail/', 'queue/', 'domain/'),
      types: of('context'),
    }),
    ...layer('cli', '^src/cli/', {
      runs: of(
        ...['context', 'config', 'errors', 'log', 'locales', 'domain/', 'services/', 'import/', 'doctor/'],
        ...['mail/', 'queue/bullmq', 'store/migrate', 'embedded/installation'],
      ),
    }),
    ...layer('embedded', '^src/embedded/', {
      runs: of(
        ...['context', 'config', 'errors', 'log', 'locales', 'lifecycle', 'domain/', 'services/', 'store/'],
        ...['queue/bullmq', 'http/'],
      ),
    }),
    ...layer('workers', '^workers/', {
      runs: of(
        ...['services/', 'domain/', 'errors', 'node-version', 'process', 'lifecycle', 'queue/'],
        'mail/inbound/',
      ),
      types: of('context', 'log', 'metrics'),
    }),
    {
      name: 'delivery-knows-no-digest',
      comment:
        'The machine sends what it is handed: it asks neither how a digest is made nor how people sign up.',
      severity: 'error',
      from: { path: '^src/services/delivery/' },
      to: { path: '^src/services/(digests|signups)/' },
    },
    only('express', 'express', ['^src/app\\.ts$', '^src/routes/', '^src/http/', '^src/embedded/catcher/']),
    // bullmq's PostgreSQL backend is migrated over a client of ours.
    only('postgres', 'kysely|pg', ['^src/store/', '^src/queue/bullmq\\.ts$']),
    only('queue', 'bullmq|ioredis', ['^src/queue/']),
    only('smtp', 'nodemailer|p-limit', ['^src/mail/smtp/']),
    only('mjml', 'mjml', ['^src/mail/compose/']),
    only('mail-in', 'smtp-server|mailparser', ['^src/mail/inbound/', '^src/embedded/catcher/']),
    only('dns', 'mailauth', ['^src/doctor/']),
    only('pictures', 'sharp', ['^src/services/media/sharp\\.ts$']),
    only('editions', '@myriaddreamin', ['^src/services/editions/typst-process\\.ts$']),
    only('feed', 'feed', ['^src/feeds/']),
    only('xml', 'saxes', ['^src/import/xml/']),
    only('html', 'sanitize-html', ['^src/domain/articles/article-html\\.ts$']),
    only('markdown', 'markdown-it', ['^src/domain/articles/markdown\\.ts$']),
    only('fetch', 'undici', ['^src/import/fetch-public\\.ts$']),
    only('csv', 'csv-parse', ['^src/services/subscribers/import/']),
    only('upload', '@fastify/busboy', ['^src/http/upload\\.ts$']),
    only('negotiation', 'negotiator', ['^src/http/']),
    only('public-suffixes', 'tldts', ['^src/domain/subscribers/organisation\\.ts$']),
    only('crawlers', 'isbot', ['^src/services/articles/article-views\\.ts$']),
    only('commands', 'commander', ['^src/cli/']),
    only('log', 'pino', ['^src/log\\.ts$']),
    only('metrics', 'prom-client', ['^src/metrics\\.ts$']),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
