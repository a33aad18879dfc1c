// AXI4 port of 64 bits with one transaction at a time, in the order of arrival; writes have
// priority over reads.
//
// The bytes are in the RAM's C model (ram.cpp). With BOOT, addresses below 0x4000_0000 have a reset
// program that jumps to 0x8000_0000.
//
//   +apart   hart N begins at 0x8000_0000 + 0x1_0000 * N
module axi_memory #(
    parameter bit BOOT = 0
) (
    input  bit          clk,
    input  bit          resetn,

    input  logic        aw_valid,
    output logic        aw_ready,
    input  logic [3:0]  aw_id,
    input  logic [31:0] aw_addr,
    input  logic [2:0]  aw_size,
    input  logic        w_valid,
    output logic        w_ready,
    input  logic [63:0] w_data,
    input  logic [7:0]  w_strb,
    input  logic        w_last,
    output logic        b_valid,
    input  logic        b_ready,
    output logic [3:0]  b_id,

    input  logic        ar_valid,
    output logic        ar_ready,
    input  logic [3:0]  ar_id,
    input  logic [31:0] ar_addr,
    input  logic [7:0]  ar_len,
    input  logic [2:0]  ar_size,
    output logic        r_valid,
    input  logic        r_ready,
    output logic [3:0]  r_id,
    output logic [63:0] r_data,
    output logic        r_last
);
    import "DPI-C" function int unsigned ram_load(input int unsigned addr);
    import "DPI-C" function void ram_store(
        input int unsigned addr, input int unsigned data, input int unsigned strobes);

    // csrr t1, mhartid; slli t1, t1, 16; li t0, 1; slli t0, t0, 31; add t0, t0, t1; jr t0; nop; nop
    localparam bit [3:0][63:0] APART = {
        64'h00000013_00000013, 64'h00028067_006282b3, 64'h01f29293_00100293, 64'h01031313_f1402373};
    // The same with li t1, 0 instead of csrr.
    localparam bit [3:0][63:0] TOGETHER = {APART[3:1], 64'h01031313_00000313};

    bit apart;

    initial
        apart = $test$plusargs("apart") != 0;

    typedef enum bit [2:0] {IDLE, WRITE, DONE, LOAD, SEND} state_t;

    state_t      state;
    logic [3:0]  id;
    logic [31:0] addr;
    logic [7:0]  beats;
    logic [2:0]  size;

    // True if the address is in the RAM.
    bit is_ram;

    assign is_ram = !BOOT || addr[30];
    assign aw_ready = state == IDLE;
    assign ar_ready = state == IDLE && !aw_valid;
    assign w_ready = state == WRITE;
    assign b_valid = state == DONE;
    assign b_id = id;
    assign r_valid = state == SEND;
    assign r_id = id;
    assign r_last = beats == 0;

    always_ff @(posedge clk) begin
        if (!resetn)
            state <= IDLE;
        else
            case (state)
                IDLE:
                    if (aw_valid) begin
                        {id, addr, size} <= {aw_id, aw_addr, aw_size};
                        state <= WRITE;
                    end else if (ar_valid) begin
                        {id, addr, size, beats} <= {ar_id, ar_addr, ar_size, ar_len};
                        state <= LOAD;
                    end
                WRITE:
                    if (w_valid) begin
                        if (is_ram && w_strb[3:0] != 0)
                            ram_store({addr[31:3], 3'b000}, w_data[31:0], {28'b0, w_strb[3:0]});
                        if (is_ram && w_strb[7:4] != 0)
                            ram_store({addr[31:3], 3'b100}, w_data[63:32], {28'b0, w_strb[7:4]});
                        addr <= addr + (32'b1 << size);
                        if (w_last)
                            state <= DONE;
                    end
                DONE:
                    if (b_ready)
                        state <= IDLE;
                LOAD: begin
                    if (!is_ram)
                        r_data <= apart ? APART[addr[4:3]] : TOGETHER[addr[4:3]];
                    else
                        r_data <= {ram_load({addr[31:3], 3'b100}), ram_load({addr[31:3], 3'b000})};
                    state <= SEND;
                end
                default: // SEND
                    if (r_ready) begin
                        addr <= addr + (32'b1 << size);
                        beats <= beats - 8'b1;
                        state <= r_last ? IDLE : LOAD;
                    end
            endcase
    end
endmodule
