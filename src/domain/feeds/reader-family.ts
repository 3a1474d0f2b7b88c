/** Programs that poll feeds, by what their User-Agent says. The first that matches. */
const families: [family: string, pattern: RegExp][] = [
  ['Feedly', /feedly/i],
  ['Inoreader', /inoreader/i],
  ['NewsBlur', /newsblur/i],
  ['Feedbin', /feedbin/i],
  ['The Old Reader', /theoldreader/i],
  ['Flipboard', /flipboard/i],
  ['FreshRSS', /freshrss/i],
  ['Miniflux', /miniflux/i],
  ['Tiny Tiny RSS', /tiny tiny rss|tt-rss/i],
  ['Nextcloud News', /nextcloud-news/i],
  ['NetNewsWire', /netnewswire/i],
  ['Reeder', /reeder/i],
  ['Newsboat', /newsboat|newsbeuter/i],
  ['Liferea', /liferea/i],
  ['Thunderbird', /thunderbird/i],
  ['Feeder', /feeder/i],
  ['rss2email', /rss2email/i],
  ['feedparser', /feedparser|python/i],
  ['Slack', /slackbot/i],
  ['Googlebot', /googlebot|feedfetcher|google/i],
  ['Bingbot', /bingbot/i],
  ['curl, wget', /curl|wget/i],
  ['programs', /node|undici|axios|go-http|java|okhttp|ruby|php|guzzle|perl/i],
  ['browsers', /mozilla/i],
]

/** The family a User-Agent belongs to; nothing else of it is kept. */
export const readerFamilyOf = (userAgent: string | undefined): string =>
  (userAgent && families.find(([, pattern]) => pattern.test(userAgent))?.[0]) ?? 'others'
