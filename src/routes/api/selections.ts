import { z } from 'zod'
import { get, patch, post, type ApiRoute } from '../../http/route.ts'
import { selectionChange, selectionInput, slug } from '../../services/articles/input.ts'
import { selectionShape, type SelectionService } from '../../services/articles/selections.ts'

export function selectionApi(service: SelectionService): ApiRoute[] {
  return [
    ...apiOfKind(service, 'section', '/sections'),
    ...changesOfKind(service, 'section', '/sections'),
    ...apiOfKind(service, 'dossier', '/dossiers'),
    ...changesOfKind(service, 'dossier', '/dossiers'),
    ...changesOfKind(service, 'tag', '/tags'),
  ]
}

const apiOfKind = (service: SelectionService, kind: 'section' | 'dossier', path: string): ApiRoute[] => [
  get(path, 'viewer', {
    summary: `The ${kind}s in the publication’s order`,
    answers: { 200: z.object({ data: z.array(selectionShape), next: z.null() }) },
    handle: async () => ({ body: { data: (await service.list(kind)).map(service.toShape), next: null } }),
  }),
  post(path, 'editor', {
    summary: `Create a ${kind}`,
    body: selectionInput,
    answers: { 201: selectionShape },
    handle: async ({ body, actor }) => ({ body: service.toShape(await service.create(kind, body, actor)) }),
  }),
]

const params = z.strictObject({ slug })

const changesOfKind = (
  service: SelectionService,
  kind: 'section' | 'dossier' | 'tag',
  path: string,
): ApiRoute[] => [
  patch(`${path}/{slug}`, 'editor', {
    summary: `Name a ${kind}, describe it, move it, take it out of the menu or give it another slug; what is absent stays`,
    params,
    body: selectionChange,
    answers: { 200: selectionShape },
    handle: async ({ params, body, actor }) => ({
      body: service.toShape(await service.change(kind, params.slug, body, actor)),
    }),
  }),
  post(`${path}/{slug}/merge`, 'editor', {
    summary: `Make this ${kind} part of another one: articles, readers’ choices and newsletters’ rules go over, its pages and feeds lead there`,
    params,
    body: z.strictObject({ into: slug }),
    answers: { 200: selectionShape },
    handle: async ({ params, body, actor }) => ({
      body: service.toShape(await service.merge(kind, params.slug, body.into, actor)),
    }),
  }),
]
