import express, { type Express } from 'express'
import type { Context } from './context.ts'
import { examine } from './doctor/doctor.ts'
import { apiRouter } from './http/api.ts'
import { deskRouter } from './http/desk.ts'
import type { FeedFront } from './http/feeds/feed-front.ts'
import { openFeedFront } from './http/feeds/open-feed-front.ts'
import { assetRoutes } from './http/assets.ts'
import { oneHost, ownName } from './http/own-name.ts'
import { pageLanguage, publicPage } from './http/language.ts'
import { createClientAddress } from './http/client-address.ts'
import { createPageRenderer, type PageRenderer } from './http/page.ts'
import type { PublicForms } from './http/public-forms.ts'
import {
  createRateLimit,
  createSignupLimit,
  ringWindows,
  signInWindows,
  trackbackWindows,
  viewersWindows,
  viewWindows,
} from './http/rate-limit.ts'
import { noPage, problemHandler } from './http/problem.ts'
import { requestLog } from './http/request-log.ts'
import { securityHeaders } from './http/security-headers.ts'
import { apiRoutes } from './routes/api/routes.ts'
import { archiveRoutes } from './routes/archive.ts'
import { deskRoutes } from './routes/desk/routes.ts'
import { activateRoutes } from './routes/activate.ts'
import { editionRoutes } from './routes/editions.ts'
import { feedRoutes } from './routes/feeds.ts'
import { healthRoutes } from './routes/health.ts'
import { inboundRoutes } from './routes/inbound.ts'
import { mediaRoutes } from './routes/media.ts'
import { pingRoutes } from './routes/ping.ts'
import { preferencesRoutes } from './routes/preferences.ts'
import { signInRoutes } from './routes/sign-in.ts'
import { movedPages, oldPages, oldQueries } from './routes/old-addresses.ts'
import { responseRoutes } from './routes/responses.ts'
import { siteRoutes } from './routes/site.ts'
import { trackbackRoutes } from './routes/trackbacks.ts'
import { subscribeRoutes } from './routes/subscribe.ts'
import { unsubscribeRoutes } from './routes/unsubscribe.ts'

/** The whole HTTP surface on one screen. */
export function createApp(context: Context, front: FeedFront = openFeedFront(context)): Express {
  const { config, counters, hasEditions, keyring, lifecycle, log, metrics, services } = context
  const { publicUrl } = config
  const { draining } = lifecycle
  const pages = createPageRenderer({ publicUrl, hasEditions })
  const forms = publicForms(context, pages)
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')
  // A page of the desk has one address: what a proxy keeps to the office by its path must have no other.
  app.enable('case sensitive routing')

  app.use(front)
  app.use(requestLog(log, metrics))
  app.use(oneHost)
  app.use(healthRoutes(services, lifecycle))
  app.use(securityHeaders(publicUrl))
  app.use(assetRoutes())
  app.use(mediaRoutes(services))
  app.use(
    inboundRoutes(services, (provider, kind, n) => {
      metrics.providerEvents.inc({ provider, kind }, n)
    }),
  )
  app.use(pingRoutes(services, { ...forms, limit: createRateLimit(ringWindows, counters.open) }))

  app.use('/api/v1', apiRouter(apiRoutes(services, { ...forms, draining }), services.keys.authenticate))
  app.use(ownName(publicUrl))
  app.use(pageLanguage(services.publication.get))
  app.use('/desk', signInRoutes(services, { ...forms, limit: createRateLimit(signInWindows, counters.open) }))
  app.use(
    '/desk',
    deskRouter(
      deskRoutes(services, draining, () => examine(context)),
      {
        log,
        publicUrl,
        keyring,
        pages,
        findSession: services.signIn.findSession,
        findHold: services.restoredCopy.findHold,
        mailboxUrl: config.mailboxUrl,
      },
    ),
  )

  app.use(publicPage(services.site.navigation, services.feedDirectory.moved))
  app.use(subscribeRoutes(services, forms))
  app.use(activateRoutes(services, forms))
  app.use(preferencesRoutes(services, forms))
  app.use(unsubscribeRoutes(services, forms))
  app.use(feedRoutes(services, pages))
  app.use(responseRoutes(services, forms))
  app.use(trackbackRoutes(services, { ...forms, limit: createRateLimit(trackbackWindows, counters.open) }))
  app.use(oldQueries(services))
  app.use(editionRoutes(services, pages))
  app.use(
    siteRoutes(services, {
      ...forms,
      viewLimit: createRateLimit(viewWindows, counters.open),
      viewersLimit: createRateLimit(viewersWindows, counters.open),
    }),
  )
  app.use(archiveRoutes(services, pages))
  app.use(oldPages(services))
  app.use(noPage)
  app.use(movedPages(services))
  app.use(problemHandler(log, pages))
  return app
}

function publicForms({ config, counters, log }: Context, pages: PageRenderer): PublicForms {
  return {
    publicUrl: config.publicUrl,
    pages,
    signupLimit: createSignupLimit(counters.open),
    clientAddress: createClientAddress(config.trustProxy, () => {
      log.warn(
        'a private peer sends X-Forwarded-For and TRUST_PROXY is unset: all its clients share one limit',
      )
    }),
    mailboxUrl: config.mailboxUrl,
  }
}
