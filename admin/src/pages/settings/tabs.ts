const TABS = ['tokens', 'users', 'account', 'providers', 'audit'] as const

export type SettingsTab = (typeof TABS)[number]

export const isSettingsTab = (value: unknown): value is SettingsTab => TABS.some((tab) => tab === value)
