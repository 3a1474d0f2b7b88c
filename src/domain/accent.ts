/** The darkest light ground and the lightest dark one of our pages and mails. */
const lightGround = '#f3eee3'
const darkGround = '#221f1a'
const least = 4.5

/**
 * The newsroom's one colour, kept where people can read it: WCAG 2.2 asks for 4.5 : 1 between a text and its ground.
 * @param colour `#rrggbb`
 * @returns `light` is for text on light grounds and buttons with white words, `dark` for text on dark grounds and
 * buttons with dark words; `Strong` is the same under the pointer
 */
export function accentOf(colour: string) {
  const light = keepApart(colour, lightGround, '#000000')
  const dark = keepApart(colour, darkGround, '#ffffff')
  return { light, dark, lightStrong: mix(light, '#000000', 0.25), darkStrong: mix(dark, '#ffffff', 0.4) }
}

/** As little as is needed of `towards`, in steps of a hundredth. */
function keepApart(colour: string, ground: string, towards: string): string {
  for (let part = 0; part < 1; part += 0.01) {
    const mixed = mix(colour, towards, part)
    if (contrast(mixed, ground) >= least) return mixed
  }
  return towards
}

const channels = (colour: string): number[] => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16))

function mix(colour: string, towards: string, part: number): string {
  const other = channels(towards)
  const mixed = channels(colour).map((value, n) => Math.round(value + ((other[n] ?? 0) - value) * part))
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`
}

function contrast(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (lighter + 0.05) / (darker + 0.05)
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = channels(colour).map((value) =>
    value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
  )
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
