// Rocket, 64 bits wide, with a write-back data cache of 4 KiB and lines of 64 bytes: one hart, or
// four with HARTS_4. The caches are coherent, and the harts share the ports and the reset address.
//
//   0x1000_0000   boot ROM, on the port for devices: the reset address; jumps to 0x8000_0000
//   0x6000_0000   RAM, uncached, on the port for devices
//   0x8000_0000   RAM, on the port for memory
//
// Only the host accesses the scratch memory of soc.sv.
module soc #(
    parameter int CORES = 1,
    parameter bit COMPRESSED = 1
) (
    input  bit               clk,
    input  bit               resetn,
    output bit [CORES-1:0]   trap,
    // Lines that the core writes back, for monitors of the bus.
    output bit [CORES-1:0]   write,
    output bit [CORES-1:0][31:0] write_addr
);
    if (CORES != 1)
        $error("Rocket has its harts in one core");

    for (genvar i = 0; i < 1; i++) begin : core
        logic        ram_aw_valid, ram_aw_ready, ram_w_valid, ram_w_ready, ram_w_last, ram_b_valid, ram_b_ready;
        logic        ram_ar_valid, ram_ar_ready, ram_r_valid, ram_r_ready, ram_r_last;
        logic [3:0]  ram_aw_id, ram_b_id, ram_ar_id, ram_r_id;
        logic [31:0] ram_aw_addr, ram_ar_addr;
        logic [2:0]  ram_aw_size, ram_ar_size;
        logic [7:0]  ram_ar_len, ram_w_strb;
        logic [63:0] ram_w_data, ram_r_data;
        logic        boot_aw_valid, boot_aw_ready, boot_w_valid, boot_w_ready, boot_w_last, boot_b_valid, boot_b_ready;
        logic        boot_ar_valid, boot_ar_ready, boot_r_valid, boot_r_ready, boot_r_last;
        logic [3:0]  boot_aw_id, boot_b_id, boot_ar_id, boot_r_id;
        logic [30:0] boot_aw_addr, boot_ar_addr;
        logic [2:0]  boot_aw_size, boot_ar_size;
        logic [7:0]  boot_ar_len, boot_w_strb;
        logic [63:0] boot_w_data, boot_r_data;

        ExampleRocketSystem cpu (
            .clock(clk), .reset(!resetn), .resetctrl_hartIsInReset_0(!resetn), .interrupts(8'b0),
`ifdef HARTS_4
            .resetctrl_hartIsInReset_1(!resetn), .resetctrl_hartIsInReset_2(!resetn), .resetctrl_hartIsInReset_3(!resetn),
`endif
            .mem_axi4_0_aw_ready(ram_aw_ready), .mem_axi4_0_aw_valid(ram_aw_valid), .mem_axi4_0_aw_bits_id(ram_aw_id), .mem_axi4_0_aw_bits_addr(ram_aw_addr),
            .mem_axi4_0_aw_bits_len(), .mem_axi4_0_aw_bits_size(ram_aw_size), .mem_axi4_0_aw_bits_burst(), .mem_axi4_0_aw_bits_lock(),
            .mem_axi4_0_aw_bits_cache(), .mem_axi4_0_aw_bits_prot(), .mem_axi4_0_aw_bits_qos(),
            .mem_axi4_0_ar_ready(ram_ar_ready), .mem_axi4_0_ar_valid(ram_ar_valid), .mem_axi4_0_ar_bits_id(ram_ar_id), .mem_axi4_0_ar_bits_addr(ram_ar_addr),
            .mem_axi4_0_ar_bits_len(ram_ar_len), .mem_axi4_0_ar_bits_size(ram_ar_size), .mem_axi4_0_ar_bits_burst(), .mem_axi4_0_ar_bits_lock(),
            .mem_axi4_0_ar_bits_cache(), .mem_axi4_0_ar_bits_prot(), .mem_axi4_0_ar_bits_qos(),
            .mem_axi4_0_w_ready(ram_w_ready), .mem_axi4_0_w_valid(ram_w_valid), .mem_axi4_0_w_bits_data(ram_w_data), .mem_axi4_0_w_bits_strb(ram_w_strb), .mem_axi4_0_w_bits_last(ram_w_last),
            .mem_axi4_0_b_ready(ram_b_ready), .mem_axi4_0_b_valid(ram_b_valid), .mem_axi4_0_b_bits_id(ram_b_id), .mem_axi4_0_b_bits_resp(2'b0),
            .mem_axi4_0_r_ready(ram_r_ready), .mem_axi4_0_r_valid(ram_r_valid), .mem_axi4_0_r_bits_id(ram_r_id), .mem_axi4_0_r_bits_data(ram_r_data),
            .mem_axi4_0_r_bits_resp(2'b0), .mem_axi4_0_r_bits_last(ram_r_last),
            .mmio_axi4_0_aw_ready(boot_aw_ready), .mmio_axi4_0_aw_valid(boot_aw_valid), .mmio_axi4_0_aw_bits_id(boot_aw_id), .mmio_axi4_0_aw_bits_addr(boot_aw_addr),
            .mmio_axi4_0_aw_bits_len(), .mmio_axi4_0_aw_bits_size(boot_aw_size), .mmio_axi4_0_aw_bits_burst(), .mmio_axi4_0_aw_bits_lock(),
            .mmio_axi4_0_aw_bits_cache(), .mmio_axi4_0_aw_bits_prot(), .mmio_axi4_0_aw_bits_qos(),
            .mmio_axi4_0_ar_ready(boot_ar_ready), .mmio_axi4_0_ar_valid(boot_ar_valid), .mmio_axi4_0_ar_bits_id(boot_ar_id), .mmio_axi4_0_ar_bits_addr(boot_ar_addr),
            .mmio_axi4_0_ar_bits_len(boot_ar_len), .mmio_axi4_0_ar_bits_size(boot_ar_size), .mmio_axi4_0_ar_bits_burst(), .mmio_axi4_0_ar_bits_lock(),
            .mmio_axi4_0_ar_bits_cache(), .mmio_axi4_0_ar_bits_prot(), .mmio_axi4_0_ar_bits_qos(),
            .mmio_axi4_0_w_ready(boot_w_ready), .mmio_axi4_0_w_valid(boot_w_valid), .mmio_axi4_0_w_bits_data(boot_w_data), .mmio_axi4_0_w_bits_strb(boot_w_strb), .mmio_axi4_0_w_bits_last(boot_w_last),
            .mmio_axi4_0_b_ready(boot_b_ready), .mmio_axi4_0_b_valid(boot_b_valid), .mmio_axi4_0_b_bits_id(boot_b_id), .mmio_axi4_0_b_bits_resp(2'b0),
            .mmio_axi4_0_r_ready(boot_r_ready), .mmio_axi4_0_r_valid(boot_r_valid), .mmio_axi4_0_r_bits_id(boot_r_id), .mmio_axi4_0_r_bits_data(boot_r_data),
            .mmio_axi4_0_r_bits_resp(2'b0), .mmio_axi4_0_r_bits_last(boot_r_last),
            // No other bus master.
            .l2_frontend_bus_axi4_0_aw_valid('0), .l2_frontend_bus_axi4_0_aw_bits_id('0), .l2_frontend_bus_axi4_0_aw_bits_addr('0), .l2_frontend_bus_axi4_0_aw_bits_len('0), .l2_frontend_bus_axi4_0_aw_bits_size('0),
            .l2_frontend_bus_axi4_0_aw_bits_burst('0), .l2_frontend_bus_axi4_0_aw_bits_lock('0), .l2_frontend_bus_axi4_0_aw_bits_cache('0), .l2_frontend_bus_axi4_0_aw_bits_prot('0), .l2_frontend_bus_axi4_0_aw_bits_qos('0), .l2_frontend_bus_axi4_0_aw_ready(),
            .l2_frontend_bus_axi4_0_ar_valid('0), .l2_frontend_bus_axi4_0_ar_bits_id('0), .l2_frontend_bus_axi4_0_ar_bits_addr('0), .l2_frontend_bus_axi4_0_ar_bits_len('0), .l2_frontend_bus_axi4_0_ar_bits_size('0),
            .l2_frontend_bus_axi4_0_ar_bits_burst('0), .l2_frontend_bus_axi4_0_ar_bits_lock('0), .l2_frontend_bus_axi4_0_ar_bits_cache('0), .l2_frontend_bus_axi4_0_ar_bits_prot('0), .l2_frontend_bus_axi4_0_ar_bits_qos('0), .l2_frontend_bus_axi4_0_ar_ready(),
            .l2_frontend_bus_axi4_0_w_ready(), .l2_frontend_bus_axi4_0_w_valid(1'b0), .l2_frontend_bus_axi4_0_w_bits_data('0),
            .l2_frontend_bus_axi4_0_w_bits_strb('0), .l2_frontend_bus_axi4_0_w_bits_last(1'b0),
            .l2_frontend_bus_axi4_0_b_ready(1'b0), .l2_frontend_bus_axi4_0_b_valid(), .l2_frontend_bus_axi4_0_b_bits_id(),
            .l2_frontend_bus_axi4_0_b_bits_resp(), .l2_frontend_bus_axi4_0_r_ready(1'b0), .l2_frontend_bus_axi4_0_r_valid(),
            .l2_frontend_bus_axi4_0_r_bits_id(), .l2_frontend_bus_axi4_0_r_bits_data(), .l2_frontend_bus_axi4_0_r_bits_resp(),
            .l2_frontend_bus_axi4_0_r_bits_last(),
            // No debugger.
            .debug_clock(1'b0), .debug_reset(!resetn),
            .debug_clockeddmi_dmi_req_ready(), .debug_clockeddmi_dmi_req_valid(1'b0), .debug_clockeddmi_dmi_req_bits_addr('0),
            .debug_clockeddmi_dmi_req_bits_data('0), .debug_clockeddmi_dmi_req_bits_op('0),
            .debug_clockeddmi_dmi_resp_ready(1'b0), .debug_clockeddmi_dmi_resp_valid(), .debug_clockeddmi_dmi_resp_bits_data(),
            .debug_clockeddmi_dmi_resp_bits_resp(), .debug_clockeddmi_dmiClock(1'b0), .debug_clockeddmi_dmiReset(!resetn),
            .debug_ndreset(), .debug_dmactive(), .debug_dmactiveAck(1'b0)
        );

        axi_memory #(.BOOT(0)) ram (
            .clk, .resetn, .aw_valid(ram_aw_valid), .aw_ready(ram_aw_ready), .aw_id(ram_aw_id), .aw_addr(ram_aw_addr),
            .aw_size(ram_aw_size), .w_valid(ram_w_valid), .w_ready(ram_w_ready), .w_data(ram_w_data),
            .w_strb(ram_w_strb), .w_last(ram_w_last), .b_valid(ram_b_valid), .b_ready(ram_b_ready), .b_id(ram_b_id),
            .ar_valid(ram_ar_valid), .ar_ready(ram_ar_ready), .ar_id(ram_ar_id), .ar_addr(ram_ar_addr),
            .ar_len(ram_ar_len), .ar_size(ram_ar_size), .r_valid(ram_r_valid), .r_ready(ram_r_ready),
            .r_id(ram_r_id), .r_data(ram_r_data), .r_last(ram_r_last)
        );
        axi_memory #(.BOOT(1)) boot (
            .clk, .resetn, .aw_valid(boot_aw_valid), .aw_ready(boot_aw_ready), .aw_id(boot_aw_id), .aw_addr({1'b0, boot_aw_addr}),
            .aw_size(boot_aw_size), .w_valid(boot_w_valid), .w_ready(boot_w_ready), .w_data(boot_w_data),
            .w_strb(boot_w_strb), .w_last(boot_w_last), .b_valid(boot_b_valid), .b_ready(boot_b_ready), .b_id(boot_b_id),
            .ar_valid(boot_ar_valid), .ar_ready(boot_ar_ready), .ar_id(boot_ar_id), .ar_addr({1'b0, boot_ar_addr}),
            .ar_len(boot_ar_len), .ar_size(boot_ar_size), .r_valid(boot_r_valid), .r_ready(boot_r_ready),
            .r_id(boot_r_id), .r_data(boot_r_data), .r_last(boot_r_last)
        );

        if (i == 0) begin : private_memory
            scratch scratch (
                .clk, .valid(1'b0), .ready(), .addr(32'b0), .wdata(32'b0), .wstrb(4'b0), .rdata()
            );
        end

        assign trap[i] = 0;
        assign write[i] = ram_aw_valid && ram_aw_ready;
        assign write_addr[i] = ram_aw_addr;
    end
endmodule
