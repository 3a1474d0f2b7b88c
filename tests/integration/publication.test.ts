import { expect, test } from 'vitest'
import type { Publication } from '../../src/domain/publication.ts'
import { aDatabase } from '../support/database.ts'

test('there is one publication from the start; it is read back as it was changed', async () => {
  const { stores } = await aDatabase()
  expect((await stores.publication.get()).name).toBe('Dépêche')
  const publication: Publication = {
    name: 'Le Rivage',
    description: 'Nouvelles du rivage',
    languages: ['fr', 'ar'],
    zone: 'Africa/Algiers',
    locales: { ar: 'ar-DZ' },
    deskName: { fr: 'La rédaction', ar: 'التحرير' },
    postalAddress: null,
    contactEmail: 'desk@rivage.example',
    policyUrl: null,
    policyVersion: '1',
    ambiguousPolicy: 'hold',
    links: 'canonical',
    feedText: 'full',
    responses: 'on',
    trackbacks: 'off',
    accent: '#1b5e8c',
    logo: { url: 'https://rivage.example/media/x-480.png', width: 480, height: 96 },
    logoDark: null,
    icon: null,
    footer: null,
    contacts: { fr: [{ role: 'Publicité', email: 'pub@rivage.example' }], ar: [] },
    legalLinks: [],
  }
  await stores.publication.update(publication)
  expect(await stores.publication.get()).toEqual(publication)
})
