import { relative } from 'node:path'
import ts from 'typescript'

/**
 * Names every function that a factory of ours returns in an object and nothing of ours calls: knip sees exports alone.
 * What only tests call is dead too.
 */

const config = ts.getParsedCommandLineOfConfigFile(
  'tsconfig.json',
  {},
  {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (problem) => {
      throw new Error(ts.flattenDiagnosticMessageText(problem.messageText, '\n'))
    },
  },
)
const program = ts.createProgram(config?.fileNames ?? [], config?.options ?? {})
const checker = program.getTypeChecker()
const ours = program
  .getSourceFiles()
  .filter(({ fileName }) => /^(src|workers)\//.test(relative(process.cwd(), fileName)))

const used = new Set<ts.Node>()
/** Of these names a member of an interface or a type is called: what is assignable to it may be meant. */
const usedOfInterfaces = new Map<string, ts.Type[]>()
const use = (symbol: ts.Symbol | undefined) => {
  for (const declaration of symbol?.declarations ?? []) {
    if (used.has(declaration)) continue
    used.add(declaration)
    const { parent } = declaration
    if (!symbol || !(ts.isInterfaceDeclaration(parent) || ts.isTypeLiteralNode(parent))) continue
    const known = usedOfInterfaces.get(symbol.name) ?? []
    usedOfInterfaces.set(symbol.name, [...known, checker.getTypeAtLocation(declaration)])
  }
}

/** `a.b`, `a[b]` where the type of b names it, and `{ b } = a`. */
function look(node: ts.Node): void {
  if (ts.isPropertyAccessExpression(node)) use(checker.getSymbolAtLocation(node.name))
  if (ts.isElementAccessExpression(node)) {
    const key = checker.getTypeAtLocation(node.argumentExpression)
    for (const one of key.isUnion() ? key.types : [key]) {
      if (one.isStringLiteral()) use(checker.getTypeAtLocation(node.expression).getProperty(one.value))
    }
  }
  if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
    const name = (node.propertyName ?? node.name).getText()
    use(checker.getTypeAtLocation(node.parent).getProperty(name))
  }
  ts.forEachChild(node, look)
}
for (const file of ours) look(file)

const isReturned = (object: ts.ObjectLiteralExpression): boolean => {
  const parent = ts.isParenthesizedExpression(object.parent) ? object.parent.parent : object.parent
  return ts.isReturnStatement(parent) || ts.isArrowFunction(parent)
}
const isFunction = (node: ts.ObjectLiteralElementLike) =>
  checker.getTypeAtLocation(node).getCallSignatures().length > 0

/** What asks for the object: called by ours, or for a library, under this name or under any. */
const isWanted = (wanted: ts.Type | undefined, name: string): boolean =>
  (wanted?.isUnion() ? wanted.types : [wanted]).some(
    (one) =>
      one?.getStringIndexType() !== undefined ||
      (one?.getProperty(name)?.declarations ?? []).some(
        (member) => used.has(member) || member.getSourceFile().fileName.includes('node_modules'),
      ),
  )

function isCalled(object: ts.ObjectLiteralExpression, property: ts.ObjectLiteralElementLike, name: string) {
  const type = checker.getTypeAtLocation(property)
  return (
    used.has(property) ||
    isWanted(checker.getContextualType(object), name) ||
    (usedOfInterfaces.get(name) ?? []).some((one) => checker.isTypeAssignableTo(type, one))
  )
}

const dead: string[] = []
function judge(node: ts.Node): void {
  if (ts.isObjectLiteralExpression(node) && isReturned(node)) {
    for (const property of node.properties) {
      const name = property.name?.getText()
      if (name === undefined || !isFunction(property) || isCalled(node, property, name)) continue
      const file = property.getSourceFile()
      const { line } = file.getLineAndCharacterOfPosition(property.getStart())
      dead.push(`${relative(process.cwd(), file.fileName)}:${line + 1} ${name}`)
    }
  }
  ts.forEachChild(node, judge)
}
for (const file of ours) judge(file)

for (const one of dead) console.error(`${one} is returned and never called; delete it, or call it`)
process.exitCode = dead.length > 0 ? 1 : 0
