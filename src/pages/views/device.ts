// Logging a device in (RFC 8628 §3.3): its code is typed or confirmed here. An attacker may have sent the
// code, so the page shows what it grants before it is confirmed (§5.4).

import { textsIn } from '../i18n/catalog.ts'
import type { FormContext } from '../context.ts'
import { html, type Html } from '../html.ts'
import { page } from '../layout.ts'
import { untrusted } from '../markup/untrusted-text.ts'
import { button, field, form, hidden, problemBox } from './form.ts'

/** The content of the page. */
export type DeviceModel =
  | {
      readonly step: 'enter'
      /** What was typed the last time. */
      readonly code?: string
      readonly problem?: 'unknown' | 'expired' | 'failed'
    }
  | { readonly step: 'confirm'; readonly client: string; readonly code: string }
  | { readonly step: 'done' }
  | { readonly step: 'denied' }

/** Where its forms go: fields `user_code`, and `confirm` or `abort` with the value `yes`. */
export type DevicePath = 'device'

/** The page of one step. */
export const devicePage = (model: DeviceModel, context: FormContext<DevicePath>): Html => {
  const { device } = textsIn(context.language)
  switch (model.step) {
    case 'enter':
      return enterPage(model, context)
    case 'confirm':
      return confirmPage(model, context)
    case 'done':
      return page({ title: device.doneTitle, body: html`<p>${device.done}</p>` }, context)
    case 'denied':
      return page({ title: device.deniedTitle, body: html`<p>${device.denied}</p>` }, context)
  }
}

const enterPage = (
  { code = '', problem }: Extract<DeviceModel, { step: 'enter' }>,
  context: FormContext<DevicePath>,
): Html => {
  const { language, csrf, paths } = context
  const { device } = textsIn(language)
  const wrong = problem && device[problem]
  return page(
    {
      title: device.title,
      wrong,
      forms: true,
      body: html`${problem && problemBox(device[problem], device[`${problem}Todo`])}
        <p id="explain">${device.explain}</p>
        ${form(
          { path: paths.device, csrf },
          html`${field({
            name: 'user_code',
            label: device.code,
            type: 'text',
            value: code,
            autocomplete: 'off',
            autofocus: true,
            wrong: wrong !== undefined,
            explainedBy: 'explain',
            className: 'code',
          })}
          ${button({ text: device.submit, main: true, full: true })}`,
        )}`,
    },
    context,
  )
}

const confirmPage = (
  { client, code }: Extract<DeviceModel, { step: 'confirm' }>,
  context: FormContext<DevicePath>,
): Html => {
  const { language, csrf, paths } = context
  const { device } = textsIn(language)
  return page(
    {
      title: device.confirmTitle,
      forms: true,
      body: html`<p>${device.confirm(html`<strong>${untrusted(client, 80)}</strong>`)}</p>
        <p class="code"><strong>${untrusted(code, 40)}</strong></p>
        <p>${device.warning}</p>
        ${form(
          { path: paths.device, csrf, className: 'choice' },
          html`${hidden('user_code', code)}
          ${button({ text: device.allow, name: 'confirm', value: 'yes' })}
          ${button({ text: device.deny, name: 'abort', value: 'yes' })}`,
        )}`,
    },
    context,
  )
}
