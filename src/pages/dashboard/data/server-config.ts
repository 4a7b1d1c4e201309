// Whether the server hides the actions of the dashboard, and its options.
import type { ConfigList } from '../../../dashboard-api/server.ts'
import { get } from './api.ts'
import { Store, useStore } from './store.ts'
import { access } from './token.ts'
import { apiUrl } from './urls.ts'

export const serverConfig = new Store<ConfigList | undefined>(undefined)
const retryMs = 5_000

export async function loadConfig(): Promise<void> {
  const config = await get<ConfigList>(apiUrl('config')).catch(() => undefined)
  if (config) serverConfig.set(config)
  else if (access.value.status !== 'refused') setTimeout(() => void loadConfig(), retryMs)
}

/** Actions are hidden until the server has said that they are allowed. */
export function useActionsAllowed(): boolean {
  return useStore(serverConfig)?.readOnly === false
}
