import { createSignupLimit } from '../../src/http/rate-limit.ts'
import type { ApiRoute } from '../../src/http/route.ts'
import { apiRoutes } from '../../src/routes/api/routes.ts'
import type { Web } from './web.ts'

/** The values that the API is mounted from, so that a test of every route covers a new one by itself. */
export const everyApiRoute = ({ context, origin }: Web): ApiRoute[] =>
  apiRoutes(context.services, {
    publicUrl: origin,
    signupLimit: createSignupLimit(() => ({}) as never),
    draining: context.lifecycle.draining,
  })
