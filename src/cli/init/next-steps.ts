// What `countersign init` prints once the files are there.

import { join, relative } from 'node:path'
import { hasPasswords, issuerHostOf, issuerUrlOf, routeUrlOf, type Answers } from './answers.ts'
import type { InitialFiles } from './files.ts'

/** The next commands, and the secrets that are shown once. */
export const nextSteps = (
  folder: string,
  answers: Answers,
  { files, password, apiKey }: InitialFiles,
): string => {
  const { user, waysIn, wayOut, host } = answers
  const shown = relative('', folder) || '.'
  const at = (name: string): string => join(shown, name)
  const url = `${routeUrlOf(answers)}/`
  const curl = `curl --cacert ${at('ca/ca.pem')}`
  const lines = [
    `${shown}: ${files.length} files. Start with:`,
    `  countersign up --config ${at('countersign.yaml')}`,
    'Then, in another terminal:',
    ...(waysIn.includes('password') ? [`  ${curl} -u ${user}:${password} ${url}`] : []),
    ...(waysIn.includes('certificate')
      ? [`  ${curl} --cert ${at(`tls/${user}.pem`)} --key ${at(`tls/${user}.key`)} ${url}`]
      : []),
    ...(waysIn.includes('token') ? [`  ${curl} -H "Authorization: Bearer $TOKEN" ${url}`] : []),
    ...(apiKey === undefined ? [] : [`  ${curl} -H 'X-Api-Key: ${apiKey}' ${url}`]),
    ...(waysIn.includes('login')
      ? [
          `  a browser: ${url} (it warns about the certificates of ${host} and ${issuerHostOf(answers)})`,
        ]
      : []),
    ...(waysIn.includes('command-line') ? commandLineSteps(answers, at) : []),
    ...(hasPasswords(answers)
      ? [`The password of ${user} is ${password}. It is shown once; users.yaml has its hash.`]
      : []),
    ...(wayOut === 'certificate' ? [`The upstream must trust ${at('signer-ca/ca.pem')}.`] : []),
  ]
  return lines.join('\n')
}

/** `countersign kubeconfig` for an API server, else `countersign login`. */
const commandLineSteps = (answers: Answers, at: (name: string) => string): readonly string[] => {
  const [server, ca] = [routeUrlOf(answers), at('ca/ca.pem')]
  const issuer = `--issuer ${issuerUrlOf(answers)}`
  if (answers.kind === 'http')
    return [`  countersign login ${issuer} --ca ${ca} --resource ${server}`]
  const file = at('kubeconfig')
  return [
    `  countersign kubeconfig --server ${server} --ca ${ca} --auth-method exec \\`,
    `      ${issuer} --issuer-ca ${ca} --resource ${server} --output ${file}`,
    `  kubectl --kubeconfig ${file} auth whoami`,
  ]
}
