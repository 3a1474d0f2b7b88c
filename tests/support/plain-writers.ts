import { setTimeout as sleep } from 'node:timers/promises'
import type { Writers } from '../../src/services/delivery/send-one.ts'

const plain = (subject: string, messageId: string, to: string, articleIds: readonly number[] = []) => [
  Buffer.from(
    [
      `From: desk@rivage.example`,
      `To: ${to}`,
      `Subject: ${subject}`,
      `Message-ID: ${messageId}`,
      '',
      ...(articleIds.length > 0 ? articleIds.map((id) => `article ${id}`) : ['Bonjour']),
      '',
    ].join('\r\n'),
  ),
]

/** Messages of a few lines, whose Message-ID names the row; a digest's text names its articles. */
export const plainWriters: Writers = {
  mail: () => (mail) =>
    Promise.resolve({
      from: 'bounce@rivage.example',
      message: plain(mail.kind, `<outbox.${mail.key}@rivage.example>`, mail.address),
    }),
  async digest(digestId) {
    // As long as reading and compiling one takes: other rings for it are heard meanwhile.
    await sleep(50)
    return (delivery) =>
      Promise.resolve({
        from: 'bounce@rivage.example',
        message: plain(
          'Le matin',
          `<${digestId}.${delivery.key}@rivage.example>`,
          delivery.address,
          delivery.articleIds,
        ),
      })
  },
}
