/** The volumes that a command about volumes of ours takes; none: all of them. */
export const volumeOperand = {
  name: 'target',
  help: {
    en: 'mount point, device or volume name; default all',
    ja: 'マウント ポイント、デバイス、またはボリューム名。既定は全部',
  },
  required: false,
  variadic: true,
} as const;
