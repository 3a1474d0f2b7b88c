/** A day or week with two counts. */
interface Point {
  date: string
  up: number
  down: number
}

const width = 720
const half = 60

/** Geometry for inline SVG: above the line what is good, below it what is not; `desk-chart` draws it, with a table. */
export function drawChart(points: Point[]) {
  const most = Math.max(1, ...points.flatMap(({ up, down }) => [up, down]))
  // What is rare stays visible however tall the rest is.
  const heightOf = (count: number) => (count === 0 ? 0 : Math.max(2, Math.round((count / most) * half)))
  const step = width / points.length
  return {
    width,
    height: 2 * half + 2,
    axis: half,
    most,
    up: sum(points.map((point) => point.up)),
    down: sum(points.map((point) => point.down)),
    bars: points.map((point, index) => ({
      ...point,
      x: round(index * step),
      width: round(step - Math.min(8, step / 4)),
      upY: half - heightOf(point.up),
      upHeight: heightOf(point.up),
      downHeight: heightOf(point.down),
    })),
  }
}

const round = (length: number): number => Math.round(length * 10) / 10

const sum = (counts: number[]): number => counts.reduce((total, count) => total + count, 0)
