/** Attacks on what shows a stranger's HTML; `CALL` is where the script reports that it ran. */
const seeds = [
  '<script>CALL</script>',
  '<img src=x onerror=CALL>',
  '<svg onload=CALL>',
  '<svg><script>CALL</script></svg>',
  '<a href="javascript:CALL">x</a>',
  '<a href="java&#x09;script:CALL">x</a>',
  '<iframe src="javascript:CALL"></iframe>',
  '<iframe srcdoc="<script>parent.CALL</script>"></iframe>',
  '<body onload=CALL>',
  '<input autofocus onfocus=CALL>',
  '<details open ontoggle=CALL>x</details>',
  '<video><source onerror=CALL></video>',
  '<video src=x onerror=CALL></video>',
  '<audio src=x onerror=CALL></audio>',
  '<object data="javascript:CALL"></object>',
  '<embed src="javascript:CALL">',
  '<form><button formaction="javascript:CALL">x</button></form>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror=CALL&gt;">',
  '<noscript><p title="</noscript><img src=x onerror=CALL>">',
  '<style><img src="</style><img src=x onerror=CALL>">',
  '<xmp><p title="</xmp><img src=x onerror=CALL>">',
  '<title><a title="</title><img src=x onerror=CALL>">',
  '<textarea><img title="</textarea><img src=x onerror=CALL>">',
  '<template><script>CALL</script></template>',
  '<base href="javascript:CALL//"><a href="#">x</a>',
  '<meta http-equiv="refresh" content="0;url=javascript:CALL">',
  '<link rel=stylesheet href="javascript:CALL">',
  '<p style="animation-name:x" onanimationstart=CALL>x</p>',
  '<marquee onstart=CALL>x</marquee>',
  '<select><option><script>CALL</script></select>',
  '<img srcset="x 1x" onerror=CALL>',
  '<img alt="`><script>CALL</script>">',
  '"><script>CALL</script>',
  '<<script>CALL//<</script>',
  '<![CDATA[<script>CALL</script>]]>',
  '<!--><script>CALL</script>-->',
  '<svg><a xlink:href="javascript:CALL"><text>x</text></a></svg>',
  '<table background="javascript:CALL"><td>x</td></table>',
  '<x onclick=CALL tabindex=1 autofocus onfocus=CALL>x</x>',
  '{{7*7}}{% raw %}<script>CALL</script>{% endraw %}',
]

/** A small generator with a seed: the same bodies in every run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state % below
  }
}

const insertions =
  '\0|\t|\n|/| |"|\'|<|>|&|<!--|-->|</p>|<p>|<svg>|<math>|\u00A0|\uFEFF|&#0;|<style>|</style>'.split('|')

type Random = (below: number) => number
type Mutation = (body: string, random: Random) => string

const mutations: Mutation[] = [
  (body, random) => {
    const at = random(body.length + 1)
    return body.slice(0, at) + (insertions[random(insertions.length)] ?? '') + body.slice(at)
  },
  (body, random) => {
    const at = random(body.length)
    return body.slice(0, at) + body.slice(at + 1 + random(3))
  },
  (body) => body.replace(/[a-z]/g, (letter, at: number) => (at % 2 === 0 ? letter.toUpperCase() : letter)),
  (body, random) => (seeds[random(seeds.length)] ?? '') + body,
  (body) => body.replace(/[jJ]avascript/, '&#106;avascript'),
  (body) => `<div title='${body}'>${body}`,
  (body) => body.replaceAll(' ', '/'),
  (body) => body.replaceAll('>', ''),
]

/** `count` mutated attacks; each calls `call`, such as `hit()`, if it ever runs. */
export function* xssBodies(count: number, call = 'hit()'): Generator<string> {
  const random = createRandom(20_260_314)
  for (let n = 0; n < count; n += 1) {
    let body = seeds[n % seeds.length] ?? ''
    if (n >= seeds.length) {
      for (let step = random(4); step >= 0; step -= 1) {
        body = mutations[random(mutations.length)]?.(body, random) ?? body
      }
    }
    // Case was mixed above: the call must still be the one that is counted.
    yield body.replace(/CALL/gi, call)
  }
}
