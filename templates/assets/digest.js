// The digest page: drag, live progress, preview widths. Without this file its buttons and links do the same.

const stories = document.querySelector('[data-sortable]')
const orderForm = document.querySelector('[data-order-form]')
if (stories && orderForm) {
  let dragged
  const orderOf = () => [...stories.children].map((item) => item.dataset.id).join(',')
  const before = orderOf()
  for (const item of stories.children) item.draggable = true
  stories.addEventListener('dragstart', (event) => {
    dragged = event.target.closest('li')
    dragged.classList.add('dragged')
    event.dataTransfer.effectAllowed = 'move'
  })
  stories.addEventListener('dragover', (event) => {
    const over = event.target.closest('li')
    if (!dragged || !over) return
    event.preventDefault()
    const { top, height } = over.getBoundingClientRect()
    if (over !== dragged) over[event.clientY < top + height / 2 ? 'before' : 'after'](dragged)
  })
  stories.addEventListener('drop', (event) => event.preventDefault())
  stories.addEventListener('dragend', () => {
    dragged.classList.remove('dragged')
    dragged = undefined
    if (orderOf() === before) return
    orderForm.elements.order.value = orderOf()
    orderForm.requestSubmit()
  })
}

const subject = document.querySelector('input[data-length]')
const length = document.querySelector('[data-length-of="subject"]')
if (subject && length) {
  const text = length.textContent
  subject.addEventListener('input', () => {
    const n = [...(subject.value || subject.placeholder)].length
    const shown = new Intl.NumberFormat(document.documentElement.lang).format(n)
    length.textContent = /\p{N}+/u.test(text) ? text.replace(/\p{N}+/u, shown) : shown
  })
}

const frame = document.querySelector('iframe[name="preview"]')
const widths = document.querySelector('[data-widths]')
if (frame && widths) {
  widths.hidden = false
  widths.addEventListener('click', (event) => {
    const width = event.target.dataset.width
    if (!width) return
    frame.className = width
    for (const button of widths.children) button.setAttribute('aria-pressed', String(button === event.target))
  })
  const form = document.querySelector('[data-preview]')
  form.querySelector('[data-show]').hidden = true
  form.addEventListener('change', () => form.requestSubmit())
}

const section = document.querySelector('[data-events]')
if (section) {
  const { locale, left, doneOf } = section.dataset
  const numbers = new Intl.NumberFormat(locale)
  const durations = (seconds) =>
    seconds < 90
      ? new Intl.NumberFormat(locale, { style: 'unit', unit: 'second', unitDisplay: 'long' }).format(seconds)
      : new Intl.NumberFormat(locale, { style: 'unit', unit: 'minute', unitDisplay: 'long' }).format(Math.round(seconds / 60))
  const show = ({ counts, audience, done, sent, unsent, secondsLeft }) => {
    for (const [state, n] of Object.entries(counts)) {
      const cell = section.querySelector(`[data-count="${state}"]`)
      cell.textContent = numbers.format(n)
      cell.parentElement.classList.toggle('zero', n === 0)
    }
    section.querySelector('[data-audience]').textContent = numbers.format(audience)
    section.querySelector('[data-done]').textContent = doneOf
      .replace('{n}', numbers.format(done))
      .replace('{sent}', numbers.format(sent))
      .replace('{unsent}', numbers.format(unsent))
      .replace('{all}', numbers.format(audience))
    section.querySelector('[data-time-left]').textContent =
      secondsLeft === null ? '' : left.replace('{time}', durations(secondsLeft))
    let x = 0
    for (const part of section.querySelectorAll('[data-stack] rect')) {
      const width = audience ? (100 * counts[part.dataset.state]) / audience : 0
      part.setAttribute('x', x)
      part.setAttribute('width', width)
      x += width
    }
  }
  const source = new EventSource(section.dataset.events)
  source.addEventListener('progress', (event) => {
    const progress = JSON.parse(event.data)
    if (progress.state === section.dataset.state && !progress.isFinal) {
      if (progress.audience !== null) show(progress)
      return
    }
    // Another state has other buttons, and a list that belongs to it.
    source.close()
    location.reload()
  })
  addEventListener('pagehide', () => source.close())
}
