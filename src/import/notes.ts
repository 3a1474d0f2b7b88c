/** What an import says of an item that comes otherwise than it was there: the item is named before it. */

/** @param date as it is written, where there is one */
export const undatedNote = (date: string | undefined): string =>
  (date === undefined || date === '' ? 'it has no date' : `its date "${date}" is not understood`) +
  ', so it is a draft: give it one and publish it'

export const foreignNote = 'it is in a language that this publication does not have'

export const unusableNote = (url: string): string =>
  `its enclosure "${url}" is no audio, video or PDF on the web, and is left out`

/** @param field what it is called in the API */
export const cutNote = (field: string): string => `its ${field} is longer than is taken, and is cut`

/** @param field what it is called in the API */
export const leftOutNote = (field: string): string =>
  `its ${field} is not of a form that is taken, and is left out`

/**
 * A fault of an item whose text was never closed: what comes behind was taken for text, and with it the beginning of
 * the section whose end closed it. A story about feeds has as many ends as beginnings.
 */
export const unclosedFault = (texts: (string | undefined)[]): string | undefined =>
  texts.some((text = '') => nextItem.test(text) && text.split('<![CDATA[').length > text.split(']]>').length)
    ? 'it runs into the next one, since an end is missing in it: mend the file there'
    : undefined

const nextItem = /<\/(?:item|entry)>\s*<(?:item|entry)[\s>]/
