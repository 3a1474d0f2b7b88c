/** Wrong use: a sentence for the person and exit code 2. */
export class UsageError extends Error {}

/** A failure that was put into words already. */
export class ToldError extends Error {}
