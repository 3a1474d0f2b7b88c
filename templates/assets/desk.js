// Small comforts of the desk; every page works without them.

// A form that was sent says so, and cannot be sent twice by a second click.
addEventListener('submit', (event) => {
  // What opens beside the page leaves it as it is.
  if (event.submitter?.formTarget) return
  for (const button of event.target.querySelectorAll('button:not([name])')) {
    button.setAttribute('aria-busy', 'true')
    setTimeout(() => { button.disabled = true })
  }
})

// Words that were typed and not sent do not go by a click elsewhere without a question; nor those of a form at fault.
let unsent = document.querySelector('form[data-unsent]') ?? document.querySelector('form [aria-invalid="true"]')?.form
addEventListener('input', ({ target }) => {
  if (target.form?.method === 'post') unsent = target.form
})
addEventListener('submit', (event) => {
  if (event.target === unsent && !event.submitter?.formTarget) unsent = undefined
})
addEventListener('beforeunload', (event) => {
  if (unsent) event.preventDefault()
})

// Back from the browser's cache: the buttons live again.
addEventListener('pageshow', () => {
  for (const button of document.querySelectorAll('button[aria-busy]')) {
    button.removeAttribute('aria-busy')
    button.disabled = false
  }
})

// An import that runs: its page comes again until it is over.
if (document.querySelector('[data-reload]')) setTimeout(() => location.reload(), 2000)

// A story that is being written: its page below it, at the place where it was looked at.
const preview = document.querySelector('[data-page]')
if (preview) {
  const form = document.querySelector('form.writing')
  let waiting
  const show = async () => {
    // Files stay here until they are sent.
    const body = new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === 'string'))
    const answer = await fetch(preview.dataset.page, { method: 'POST', body })
    if (!answer.ok) return
    const before = preview.querySelector('iframe')
    // Another frame each time: the Back button knows nothing of it.
    const frame = before.cloneNode()
    const top = before.contentWindow.scrollY
    frame.addEventListener('load', () => {
      // Nothing leads away from what is written.
      for (const link of frame.contentDocument.querySelectorAll('a')) link.removeAttribute('href')
      frame.contentWindow.scrollTo(0, top)
    })
    frame.srcdoc = await answer.text()
    before.replaceWith(frame)
    preview.hidden = false
  }
  form.addEventListener('input', () => {
    clearTimeout(waiting)
    waiting = setTimeout(show, 800)
  })
}

// What looks like a button is pressed like one.
addEventListener('keydown', (event) => {
  if (event.key !== ' ' || !event.target.matches('a[role=button]')) return
  event.preventDefault()
  event.target.click()
})

// A panel that opens is in view.
for (const panel of document.querySelectorAll('details[data-dialog]'))
  panel.addEventListener(
    'toggle',
    () => panel.open && panel.lastElementChild.scrollIntoView({ block: 'nearest' }),
  )

// Escape closes the panel of a button, and the button has the focus again.
addEventListener('keydown', (event) => {
  const panel = event.key === 'Escape' && document.querySelector('details[data-dialog][open]')
  if (!panel) return
  panel.open = false
  panel.querySelector('summary').focus()
})

// Responses are decided about by one key each; the first has the focus, and then the one that follows.
const written = document.querySelectorAll('.written')
if (written.length > 0 && !document.querySelector('main [autofocus]')) written[0].focus()
addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const key = event.key.toLowerCase()
  event.target.closest?.('.written')?.querySelector(`[data-key="${CSS.escape(key)}"]`)?.click()
})

// A colour is picked as well as typed.
for (const picker of document.querySelectorAll('[data-colour]')) {
  const field = document.querySelector(`[name="${picker.dataset.colour}"]`)
  picker.value = field.value || field.placeholder
  picker.hidden = false
  picker.addEventListener('input', () => { field.value = picker.value })
}
