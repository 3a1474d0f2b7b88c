// Who may import whom: docs/architecture.md says why.
const only = (name, library, homes) => ({
  name: `one-home-${name}`,
  severity: 'error',
  from: { path: '^(src|workers)/', pathNot: homes },
  to: { path: `node_modules/(${library})/`, dependencyTypesNot: ['type-only'] },
})

/** Everything under `from` may reach nothing of ours but `to` (and itself). */
const layer = (name, from, to) => ({
  name: `layer-${name}`,
  severity: 'error',
  from: { path: from },
  to: { path: '^(src|workers)/', pathNot: [from, ...to] },
})

const shared = ['^src/errors\\.ts$', '^src/log\\.ts$']

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
    layer('domain', '^src/domain/', ['^src/errors\\.ts$']),
    layer('store', '^src/store/', ['^src/domain/', ...shared]),
    layer('feeds', '^src/feeds/', ['^src/domain/', ...shared]),
    layer('mail', '^src/mail/', ['^src/domain/', '^src/locales\\.ts$', ...shared]),
    layer('queue', '^src/queue/', ['^src/domain/', ...shared]),
    layer('routes', '^src/routes/', [
      '^src/services/',
      '^src/http/',
      '^src/domain/',
      '^src/(errors|lifecycle)\\.ts$',
    ]),
    {
      name: 'services-take-their-parts',
      comment: 'Services are handed store, mail, feeds and queue; they import only their types.',
      severity: 'error',
      from: { path: '^src/services/' },
      to: { path: '^src/(store|mail|queue|feeds)/', dependencyTypesNot: ['type-only'] },
    },
    only('express', 'express', ['^src/app\\.ts$', '^src/routes/', '^src/http/', '^src/embedded/']),
    // bullmq's PostgreSQL backend is migrated over a client of ours.
    only('postgres', 'kysely|pg', ['^src/store/', '^src/queue/connection\\.ts$']),
    only('queue', 'bullmq|ioredis', ['^src/queue/', '^workers/']),
    only('nodemailer', 'nodemailer', ['^src/mail/smtp/(open|smtp)-session\\.ts$']),
    only('mjml', 'mjml', ['^src/mail/']),
    only('feed', 'feed', ['^src/feeds/']),
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
