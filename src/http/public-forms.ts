import type { IncomingMessage } from 'node:http'
import type { ClientAddress } from './client-address.ts'
import type { PageRenderer } from './page.ts'
import type { SignupLimit } from './rate-limit.ts'

/** What the forms of subscribers share. */
export interface PublicForms {
  publicUrl: string
  pages: PageRenderer
  signupLimit: SignupLimit
  clientAddress: (request: IncomingMessage) => ClientAddress
  /** The mail catcher's page, where there is one. */
  mailboxUrl: string | undefined
}
