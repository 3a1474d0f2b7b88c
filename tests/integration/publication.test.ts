import { expect, test } from 'vitest'
import { aDatabase } from '../support/database.ts'

test('there is one publication from the start; it is read back as it was changed', async () => {
  const { stores } = await aDatabase()
  expect((await stores.publication.get()).name).toBe('Dépêche')
  const publication = {
    name: 'Le Rivage',
    description: 'Nouvelles du rivage',
    languages: ['fr', 'ar'],
    zone: 'Africa/Algiers',
    locales: { ar: 'ar-DZ' },
    deskName: 'La rédaction',
    postalAddress: null,
    contactEmail: 'desk@rivage.example',
    policyUrl: null,
    policyVersion: '1',
    ambiguousPolicy: 'hold',
    links: 'canonical',
    feedText: 'full',
  } as const
  await stores.publication.update({ ...publication, languages: [...publication.languages] })
  expect(await stores.publication.get()).toEqual(publication)
})
