/** How many a list of the most read has: on pages, in a digest, in a feed. */
export const mostReadOnPages = 5
export const mostReadInDigest = 5
export const mostReadInFeed = 20

/** What fewer have read is not among the most read of a page. */
export const leastViews = 10

/** Finished days before a digest that count for its list; pages and feeds have today's, and those of all time. */
export const daysInDigest = 7
