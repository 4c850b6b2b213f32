/** The first part of the key of every list of clients. */
export const clientsKey = 'clients';
