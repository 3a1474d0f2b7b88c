// New mails appear by themselves while the newest page is in view; without this script a reload shows them.
const everyMs = 3000

async function refresh() {
  const isNewestPage = !new URLSearchParams(location.search).has('before')
  if (document.hidden || !isNewestPage) return
  const answer = await fetch(location.href).catch(() => undefined)
  if (!answer?.ok) return
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  const [now, next] = [document, page].map((source) => source.querySelector('#mails'))
  if (now && next && now.innerHTML !== next.innerHTML) now.replaceChildren(...next.childNodes)
}

setInterval(refresh, everyMs)
