import { expect, test } from 'vitest'
import { aRealWordpress } from '../support/real-wordpress.ts'
import { follow } from '../support/sources.ts'

test('SRC-4 what a real WordPress publishes is an article here, and in the feed', async () => {
  const wordpress = await aRealWordpress()
  const id = wordpress.add({ post_title: 'Le phare & la mer', post_content: '<p>Il brille de nouveau.</p>' })
  const site = await follow(wordpress.home)
  await site.render()
  expect(await (await site.fetch('/rss.xml')).text()).toContain('Le phare &#x26; la mer')
  expect(await site.sql('select external_id, guid, canonical_url, language from articles')).toEqual([
    {
      external_id: expect.stringMatching(new RegExp(`^wp:127\\.0\\.0\\.1:\\d+:${id}$`)) as string,
      guid: `${wordpress.home}/le-phare-la-mer/`,
      canonical_url: `${wordpress.home}/le-phare-la-mer/`,
      language: 'fr',
    },
  ])
})
