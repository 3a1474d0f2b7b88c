import sharp from 'sharp'

/** sharp, for processes of their own: what a stranger made is read by the readers of five formats alone. */
const readers = ['JpegBuffer', 'PngBuffer', 'WebpBuffer', 'NsgifBuffer', 'HeifBuffer']
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({ operation: readers.map((name) => `VipsForeignLoad${name}`) })
sharp.cache(false)
sharp.concurrency(1)
export { sharp }
