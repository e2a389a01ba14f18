// For `module.register`: openapi-typescript makes its output with functions that TypeScript 7, the project's compiler, has not.

const TYPESCRIPT_6 = new URL('typescript.mjs', import.meta.url).href

export function resolve(specifier, context, next) {
  const isGenerator = context.parentURL?.includes('/node_modules/openapi-typescript/') === true
  return isGenerator && specifier === 'typescript' ? next(TYPESCRIPT_6, context) : next(specifier, context)
}
