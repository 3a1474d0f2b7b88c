// Small comforts of the desk; every page works without them.

// A form that was sent says so, and cannot be sent twice by a second click.
addEventListener('submit', (event) => {
  for (const button of event.target.querySelectorAll('button:not([name])')) {
    button.setAttribute('aria-busy', 'true')
    setTimeout(() => { button.disabled = true })
  }
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
