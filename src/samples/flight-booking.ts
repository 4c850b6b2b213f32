/** The card of a sample agent that nothing stands behind, for the registry to have something to show (A2A 1.0). */
export const flightBooking = {
  path: '/flight-booking',
  tags: ['sample', 'travel'],
  card: {
    name: 'Flight Booking',
    description: 'A sample: finds and books flights. Only its card is here; nothing answers at its URL.',
    version: '1.0.0',
    supportedInterfaces: [
      { url: 'http://127.0.0.1:9/a2a', protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
    ],
    capabilities: { streaming: true, pushNotifications: false },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain', 'application/json'],
    skills: [
      {
        id: 'find',
        name: 'Find flights',
        description: 'Lists flights between two airports on a day.',
        tags: ['travel', 'search'],
        examples: ['Flights from Oslo to Lisbon on Friday'],
      },
      {
        id: 'book',
        name: 'Book a flight',
        description: 'Books a flight that was found, for one person or several.',
        tags: ['travel'],
      },
    ],
  },
} as const;
