/** How many days after its end each thing is kept; what is not here is kept for good. docs/operations.md tells people. */
export const keptDays = {
  /** Who got which digest, unless `RETENTION_DELIVERIES` says otherwise; the counts stay. */
  deliveries: 400,
  personalMails: 90,
  /** Days of views and polls; then they are counted by month. */
  days: 90,
  /** A request that nobody has confirmed, after it has expired. */
  requests: 1,
  /** The address of who wrote a response, after the last one. */
  responders: 90,
  /** An import of subscribers that no worker takes up. */
  importsUnworked: 7,
  importReports: 90,
  idempotencyKeys: 7,
  signInLinks: 30,
  sessions: 30,
  invitations: 30,
  providerEvents: 30,
  /** A picture that nothing shows. */
  pictures: 30,
}
