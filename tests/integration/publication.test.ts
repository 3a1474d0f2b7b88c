import { expect, test } from 'vitest'
import { aDatabase } from '../support/database.ts'

test('a publication is stored once and read back as it was put', async () => {
  const { stores } = await aDatabase()
  expect(await stores.publication.find()).toBeUndefined()
  const publication = {
    name: 'Le Rivage',
    description: 'Nouvelles du rivage',
    languages: ['fr', 'ar'],
    zone: 'Africa/Algiers',
    locales: { ar: 'ar-DZ' },
    deskName: 'La rédaction',
    postalAddress: undefined,
    contactEmail: 'desk@rivage.example',
    policyUrl: undefined,
    policyVersion: '1',
    ambiguousPolicy: 'hold',
  } as const
  await stores.publication.put({ ...publication, languages: [...publication.languages] })
  expect(await stores.publication.find()).toEqual(publication)
})
