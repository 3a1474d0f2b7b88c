// Words in Markdown: buttons that write its signs, and what is pasted becomes it. The browser's own undo takes both back.

const fields = document.querySelectorAll('textarea[data-markdown]')

/** As if it was typed. */
const type = (field, text) => {
  field.focus()
  if (!document.execCommand('insertText', false, text)) {
    field.setRangeText(text, field.selectionStart, field.selectionEnd, 'end')
    field.dispatchEvent(new Event('input', { bubbles: true }))
  }
}

const chosenOf = ({ value, selectionStart, selectionEnd }) => value.slice(selectionStart, selectionEnd)

/** Around what is chosen; a second time takes it away. */
const around = (field, sign) => {
  const chosen = chosenOf(field)
  const { selectionStart: start, selectionEnd: end, value } = field
  const isAround = value.slice(start - sign.length, start) === sign && value.slice(end, end + sign.length) === sign
  if (isAround) field.setSelectionRange(start - sign.length, end + sign.length)
  type(field, isAround ? chosen : sign + chosen + sign)
  const from = isAround ? start - sign.length : start + sign.length
  field.setSelectionRange(from, from + chosen.length)
}

/** Before each line that is chosen; a second time takes it away. */
const before = (field, sign) => {
  const start = field.value.lastIndexOf('\n', field.selectionStart - 1) + 1
  const next = field.value.indexOf('\n', field.selectionEnd)
  field.setSelectionRange(start, next < 0 ? field.value.length : next)
  const lines = chosenOf(field).split('\n')
  const isBefore = lines.every((line) => line.startsWith(sign))
  type(field, lines.map((line) => (isBefore ? line.slice(sign.length) : sign + line)).join('\n'))
}

const link = (field) => {
  const chosen = chosenOf(field)
  const { selectionStart: start } = field
  const isAddress = /^https?:\/\/\S+$/.test(chosen)
  const address = isAddress ? chosen : 'https://'
  const words = isAddress ? '' : chosen
  type(field, `[${words}](${address})`)
  if (words) field.setSelectionRange(start + words.length + 3, start + words.length + 3 + address.length)
  else field.setSelectionRange(start + 1, start + 1)
}

const acts = {
  bold: (field) => around(field, '**'),
  italic: (field) => around(field, '*'),
  heading: (field) => before(field, '## '),
  link,
  list: (field) => before(field, '- '),
  quote: (field) => before(field, '> '),
}
const keys = { b: 'bold', i: 'italic', k: 'link' }

for (const field of fields) {
  const tools = document.getElementById(field.dataset.markdown)
  tools.hidden = false
  tools.addEventListener('click', ({ target }) => acts[target.dataset.act]?.(field))
  field.addEventListener('keydown', (event) => {
    const act = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && keys[event.key.toLowerCase()]
    if (!act) return
    event.preventDefault()
    acts[act](field)
  })
  field.addEventListener('paste', (event) => {
    const html = event.clipboardData.getData('text/html')
    if (!html) return
    event.preventDefault()
    // A document of its own: nothing in it runs, loads or is shown.
    type(field, toMarkdown(new DOMParser().parseFromString(html, 'text/html').body))
  })
}

const blockNames =
  'address,article,aside,blockquote,dd,div,dl,dt,figcaption,figure,footer,h1,h2,h3,h4,h5,h6,header,hr,li,main,ol,p,pre,section,table,tbody,td,th,tr,ul'
const unseen = 'script,style,template,noscript,iframe,object,svg,title,meta,link'

const isBlock = (node) =>
  node.nodeType === Node.ELEMENT_NODE && (node.matches(blockNames) || node.querySelector(blockNames) !== null)

const toMarkdown = (body) => blocksOf(body).join('\n\n')

/** Signs that were letters stay letters. */
const plain = (text) =>
  text
    .replace(/[ \t\r\n]+/g, ' ')
    .replace(/[\\`*[\]]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|&(?=#?\w+;)/gu, '\\$&')

const atStart = (line) => line.replace(/^(\s*)([#>+~-]|\d+(?=[.)]))(?=\s|[.)])/, (_, space, sign) => space + (/\d/.test(sign) ? `${sign}\\` : `\\${sign}`))

function blocksOf(node) {
  const blocks = []
  let words = ''
  const end = () => {
    const text = words.replace(/ *\n */g, '\n').trim()
    if (text) blocks.push(text.split('\n').map(atStart).join('\n'))
    words = ''
  }
  for (const child of node.childNodes) {
    if (!isBlock(child)) words += wordsOf(child)
    else {
      end()
      blocks.push(...blockOf(child))
    }
  }
  end()
  return blocks
}

function blockOf(node) {
  const name = node.localName
  const level = /^h([1-6])$/.exec(name)?.[1]
  if (level) {
    const text = wordsOf(node).replace(/\s+/g, ' ').trim()
    return text ? [`${'#'.repeat(Math.max(2, level))} ${text}`] : []
  }
  if (name === 'ul' || name === 'ol') {
    const items = [...node.children].map((item, index) => {
      const sign = name === 'ol' ? `${index + 1}. ` : '- '
      const lines = blocksOf(item).join('\n').split('\n')
      return sign + lines.join(`\n${' '.repeat(sign.length)}`)
    })
    return items.length > 0 ? [items.join('\n')] : []
  }
  const blocks = name === 'tr' ? [[...node.children].map((cell) => blocksOf(cell).join(' ')).join(' ')] : blocksOf(node)
  return name === 'blockquote' && blocks.length > 0 ? [blocks.join('\n\n').replace(/^/gm, '> ')] : blocks
}

/** What a style says, which the page's own policy keeps from applying. */
const styleOf = (node, property) =>
  new RegExp(`${property}:\\s*(\\w+)`).exec(node.getAttribute('style') ?? '')?.[1]
const isBold = (node) => {
  const weight = styleOf(node, 'font-weight')
  return weight ? weight === 'bold' || weight >= 600 : /^(?:b|strong)$/.test(node.localName)
}
const isItalic = (node) => {
  const style = styleOf(node, 'font-style')
  return style ? style === 'italic' : /^(?:i|em)$/.test(node.localName)
}

/** The signs stand at the words, not at the spaces beside them. */
const signed = (sign, text) => {
  const words = text.trim()
  return words && text.replace(words, () => sign + words + sign)
}

function wordsOf(node) {
  if (node.nodeType === Node.TEXT_NODE) return plain(node.data)
  if (node.nodeType !== Node.ELEMENT_NODE || node.matches(unseen)) return ''
  if (node.localName === 'br') return '\n'
  let text = [...node.childNodes].map(wordsOf).join('')
  if (isItalic(node)) text = signed('*', text)
  if (isBold(node)) text = signed('**', text)
  const address = node.localName === 'a' ? (node.getAttribute('href') ?? '').trim() : ''
  if (!text.trim() || !URL.canParse(address) || !/^(?:https?|mailto):$/.test(new URL(address).protocol)) return text
  const { href } = new URL(address)
  return `[${text.trim()}](${href.replaceAll('(', '%28').replaceAll(')', '%29')})`
}
