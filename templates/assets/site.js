// Counts one view of an article when it is really shown, and offers printing and copying. Pages work without it.
const story = document.querySelector('[data-views]')

if (story) {
  const count = () => fetch(story.dataset.views, { method: 'POST', keepalive: true }).catch(() => {})
  // A page that the browser prepared in advance may never be looked at.
  if (document.prerendering) document.addEventListener('prerenderingchange', count, { once: true })
  else void count()
}

for (const button of document.querySelectorAll('[data-print]')) {
  button.hidden = false
  button.addEventListener('click', () => window.print())
}

// Without scripts an address can be selected.
for (const button of document.querySelectorAll('[data-copy]')) {
  if (!navigator.clipboard) break
  const label = [...button.childNodes]
  button.hidden = false
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(button.dataset.copy)
    button.textContent = button.dataset.copied
    setTimeout(() => {
      button.replaceChildren(...label)
    }, 2_000)
  })
}

// How long ago the news of the last day is, as the page ages; then its date again.
const dates = [...document.querySelectorAll('time[data-ago]')].map((time) => [time, time.textContent])
const tellAges = () => {
  for (const [time, date] of dates) {
    const minutes = Math.floor((Date.now() - Date.parse(time.dateTime)) / 60_000)
    const format = new Intl.RelativeTimeFormat(time.dataset.ago, { style: 'short' })
    const age = minutes < 60 ? [-Math.max(minutes, 1), 'minute'] : [-Math.floor(minutes / 60), 'hour']
    time.textContent = minutes < 0 || minutes >= 24 * 60 ? date : format.format(...age)
  }
}
tellAges()
setInterval(tellAges, 60_000)

// A picture that is not there leaves no frame behind.
const unframe = ({ target }) => target.closest?.('.frame')?.remove()
document.addEventListener('error', unframe, true)
for (const target of document.querySelectorAll('.frame img:not([loading])'))
  if (target.complete && target.naturalWidth === 0) unframe({ target })
