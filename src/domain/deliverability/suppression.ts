export const suppressionReasons = ['bounced', 'complained', 'erased', 'manual'] as const
export type SuppressionReason = (typeof suppressionReasons)[number]

/** Whether even a signup does not lift it: after a complaint, or where the desk has decided so. */
export const isBarred = (suppression: { reason: SuppressionReason } | undefined): boolean =>
  suppression?.reason === 'complained' || suppression?.reason === 'manual'
