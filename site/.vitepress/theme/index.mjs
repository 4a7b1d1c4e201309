// The default theme, with the colors of the live page.
import theme from 'vitepress/theme'
import './colors.css'

export default theme
