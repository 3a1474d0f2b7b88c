import type { SendingService } from '../src/services/delivery/delivery.ts'
import type { WorkerDefinition } from './worker.ts'

export const deliverMail = (sending: SendingService): WorkerDefinition<'deliver-mail'> => ({
  name: 'deliver-mail',
  work: () => sending.deliverMail('over'),
})
