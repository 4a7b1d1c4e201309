// The document around each page.
export const metadata = { title: 'Messages' }

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  )
}
