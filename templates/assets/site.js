// Counts one view of an article when it is really shown, and offers printing. Pages work without it.
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
