import express, { type Express } from 'express'
import type { Context } from './context.ts'
import { createPageRenderer } from './http/page.ts'
import { problemHandler } from './http/problem.ts'
import { healthRoutes } from './routes/health.ts'

/** The whole HTTP surface on one screen. */
export function createApp(context: Context): Express {
  const { config, log, services } = context
  const pages = createPageRenderer({ publicUrl: config.publicUrl })
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')

  app.use(healthRoutes(services))

  app.use(problemHandler(log, pages))
  return app
}
