// Black-box memory as seen by the host. Addresses are relative to the memory's first byte.
interface class MbAddressable;
    // Name in the memory configuration.
    pure virtual function string get_name();

    pure virtual function void write(`MB_PTR addr, byte unsigned data);
    pure virtual function void read(`MB_PTR addr, output byte unsigned data);

    // Accesses of up to 64 bytes.
    pure virtual function void write_block(`MB_PTR addr, int unsigned len, byte unsigned data[64]);
    pure virtual function void read_block(`MB_PTR addr, int unsigned len, output byte unsigned data[64]);
endclass
