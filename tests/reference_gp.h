/* Made by reference_gp.py with scikit-learn; do not edit. */
static const double reference_X_0[] = { 0x1.d428bfcbe0734p-1 };
static const double reference_y_0[] = { 0x1.505eb9d2391aap+0 };
static const double reference_scales_0[] = { 0x1.0000000000000p+0 };
static const double reference_theta_0[] = { -0x1.34378fcbda720p+0, -0x1.ba18a998fffa0p+2 };
static const double reference_gradient_0[] = { 0x0.0p+0, -0x1.05e1d27a3ee9dp-11 };
static const double reference_Xs_0[] = { 0x1.9c7c6c5cc350cp-2, 0x1.ee3a885601bd0p-2,
	0x1.6c3ce19653a48p-1, 0x1.8cb7a40d9e088p-1 };
static const double reference_mean_0[] = { 0x1.505eb9d2391aap+0, 0x1.505eb9d2391aap+0,
	0x1.505eb9d2391aap+0, 0x1.505eb9d2391aap+0 };
static const double reference_sd_0[] = { 0x1.f43a6b5f229adp-1, 0x1.e749a48844d91p-1,
	0x1.62a9c79dc4b8dp-1, 0x1.0f519718c3802p-1 };
static const enum dimension_kind reference_kinds_0[] = { DIMENSION_NUMERIC };
static const double reference_X_1[] = { 0x1.7dd5f265bb916p-2, 0x1.1e7e650e00290p-4,
	0x1.f1d879de3e7ffp-1, 0x1.5978ea2465c18p-1, 0x1.f3f38cc93d3c6p-2, 0x1.6bfc9d20cf111p-1,
	0x1.e82ff4314e0a8p-2 };
static const double reference_y_1[] = { 0x1.133c041cffb06p+0, 0x1.5de5162285704p-5,
	0x1.25718307e8b3cp+0, 0x1.288e78537bb2ap+0, 0x1.28aadca28aaacp+0, 0x1.5b3b9869fe3f4p+0,
	0x1.18a2dc082c0d6p+0 };
static const double reference_scales_1[] = { 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0 };
static const double reference_theta_1[] = { -0x1.9c041f7ed8d33p+0, -0x1.ba18a998fffa0p+3 };
static const double reference_gradient_1[] = { -0x1.53440a705fc5bp+2, 0x1.38b653f03681ap-9 };
static const double reference_Xs_1[] = { 0x1.d5dc0590fd0e4p-3, 0x1.0b2f2e3f3e0d5p-1,
	0x1.cff2a618e5598p-3, 0x1.79e745099a44ap-1 };
static const double reference_mean_1[] = { 0x1.ae64f6aa1b06cp-1, 0x1.4c56ca50dd910p+0,
	0x1.a66be98f5e712p-1, 0x1.81ed88bdbde78p+0 };
static const double reference_sd_1[] = { 0x1.e449fa45691afp-2, 0x1.a24b1f7a9bf44p-5,
	0x1.e7384d3c82cb6p-2, 0x1.148f2d124fe3ep-4 };
static const enum dimension_kind reference_kinds_1[] = { DIMENSION_NUMERIC };
static const double reference_X_2[] = { 0x1.f626ca7f521c6p-2, 0x1.8d5ec7b0249bcp-1,
	0x1.addbc7065c584p-2, 0x1.9425d78050517p-1, 0x1.31360c4d2b888p-3, 0x1.47eaf007db5b4p-3,
	0x1.4cc22f3577946p-2, 0x1.86d80438b1a18p-2, 0x1.ac4772b600080p-1, 0x1.edd4deaf01080p-1,
	0x1.5ff28d66f4b8ap-2, 0x1.3aa3783ebcf1cp-3, 0x1.48acc89985774p-3, 0x1.bc035aefc4036p-1,
	0x1.38ea43ade2d1ep-1, 0x1.5bc876b91f6e8p-4, 0x1.e64ba4332cd48p-4, 0x1.2f3d2ac72f75dp-1 };
static const double reference_y_2[] = { -0x1.e073c261fa52dp-2, -0x1.d33c627bedd1ep-3,
	0x1.81e6eac29c5c7p-1, 0x1.10a1dd00327e6p+0, 0x1.0cfd2c384ea80p-5, 0x1.04f346c8ab1a3p+0,
	0x1.4384f11829a1fp-3, 0x1.246acc14dfff2p+0, 0x1.cbaae70a599b6p-1 };
static const double reference_scales_2[] = { 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0 };
static const double reference_theta_2[] = { -0x1.34378fcbda720p+0, 0x1.9f323ecbf984cp-2,
	-0x1.26bb1bbb55515p+2 };
static const double reference_gradient_2[] = { -0x1.bf97401a5d458p+0, -0x1.67d070df76eeap+3,
	0x1.882bff317cffcp+1 };
static const double reference_Xs_2[] = { 0x1.a72ab71b7121bp-1, 0x1.146363a82dae0p-1,
	0x1.bf9449430ee3cp-2, 0x1.5d7664b05173fp-1, 0x1.9db91bf03a724p-1, 0x1.554a8da9cf106p-1,
	0x1.1ed906836f659p-1, 0x1.e07bf81680e52p-1 };
static const double reference_mean_2[] = { 0x1.d058426cdc206p-2, -0x1.0d2001de4aff2p-4,
	0x1.453be1d50a0bfp-2, -0x1.540ce62181158p-1 };
static const double reference_sd_2[] = { 0x1.33f67cb82f33dp-2, 0x1.675f56f152cdfp-4,
	0x1.d460767ae414ap-3, 0x1.df93acaa5a44bp-3 };
static const enum dimension_kind reference_kinds_2[] = { DIMENSION_NUMERIC, DIMENSION_NUMERIC };
static const double reference_X_3[] = { 0x1.64912a8e13648p-3, 0x1.f193c091c5605p-1,
	0x1.ed855a3a319e0p-2, 0x1.dcf34046c9c5ap-1, 0x1.d91373c8f878cp-1, 0x1.3cfa26b658b43p-1,
	0x1.826ed90489352p-1, 0x1.978071b2317c8p-1, 0x1.f4349abaa274dp-1, 0x1.b30af1ee10b4fp-1,
	0x1.40683b4c228aap-2, 0x1.d8ea37af2aae2p-1, 0x1.7f1ecb32a5453p-1, 0x1.df71056572492p-2,
	0x1.80ad1bf326968p-3, 0x1.c24a82813ce41p-1, 0x1.43faa3c7a4371p-1, 0x1.bdda26385b368p-2,
	0x1.a256343250e3ap-2, 0x1.ff7ca0bbd8a42p-2, 0x1.57264d88cf778p-4, 0x1.d90a244f8950fp-1,
	0x1.df01a06a91ad4p-1, 0x1.113aa98a450f0p-4, 0x1.f6c2b8e5966c8p-4, 0x1.aaa40d3233b06p-2,
	0x1.f1e97c30364b0p-2, 0x1.3178d45f763e1p-1, 0x1.f9f398cbab013p-1, 0x1.cc6efce2cad57p-1,
	0x1.f3392de20797bp-1, 0x1.4b148b10afd08p-4, 0x1.e82cdcc4f5dfcp-1, 0x1.9c8e32aa67c74p-3,
	0x1.3179e431e8c03p-1, 0x1.a59dc28ec122cp-2, 0x1.325443252dbfap-2, 0x1.ae5ab5a7214d9p-1,
	0x1.57392f9dc211ep-1, 0x1.7136dc4697198p-2, 0x1.0b558ec49aa93p-1, 0x1.70a17e158e8bap-2,
	0x1.78c6e380070f8p-4, 0x1.2597517bfe887p-1, 0x1.bffac7cc33511p-1, 0x1.c5c7417049ad0p-1,
	0x1.544d3e895f953p-1, 0x1.8c9c7515006bap-2, 0x1.92a7837701726p-2, 0x1.ba332d1ada4f5p-1,
	0x1.4ce36e9ab530ap-1, 0x1.bf8f8d2346c9cp-2, 0x1.4d1935084d567p-1, 0x1.2a271721c0f9dp-1,
	0x1.333a3a8182cb6p-1, 0x1.729870e062768p-1, 0x1.dba3beeb3c220p-3, 0x1.fc8579a791340p-2,
	0x1.dfda57687098bp-1, 0x1.9574c133b627cp-1, 0x1.d08d0086bc134p-2, 0x1.a51c059e22350p-2,
	0x1.ad44f25a90c00p-10, 0x1.ac9df6f800573p-1, 0x1.041567beb580bp-1, 0x1.15cb06a5e12fap-1,
	0x1.0bc8bcc908253p-1, 0x1.776caa039d8a6p-1, 0x1.ac11690b714ecp-2, 0x1.ce863bac1ca2ap-1,
	0x1.5a561df827fcap-1, 0x1.6baac6eb0ee7cp-2, 0x1.c0ae8a7ba9e54p-3, 0x1.c4d2afae9aaf7p-1,
	0x1.510988a69e279p-1, 0x1.21e8128d8ccf8p-1, 0x1.e50eef4c14240p-3, 0x1.77c1d56c7d1b8p-3,
	0x1.f5a709a890682p-1, 0x1.594ea51283320p-5, 0x1.ac29d148324c0p-4, 0x1.0ac572bb0bf20p-4,
	0x1.709376f3513c4p-3, 0x1.760f71191e0d7p-1, 0x1.b2dd620afae8ap-2, 0x1.34dfca9577680p-6,
	0x1.f12ae448bd040p-6, 0x1.b072ef47c8378p-4, 0x1.2c49662d29130p-3, 0x1.63b0b15d1ee94p-2,
	0x1.b6db8167aa74ep-2, 0x1.44d61cbeaa386p-1, 0x1.da79ded21657bp-1, 0x1.de6d89a1e2052p-2,
	0x1.276403e823cf5p-1, 0x1.339eabf9b103ep-2, 0x1.ad3568799f0d0p-3, 0x1.7aa5a36da7140p-6,
	0x1.eedbe9325e095p-1, 0x1.b266d1d6dc396p-2 };
static const double reference_y_3[] = { -0x1.ab8ca243a7e42p-1, -0x1.b99c4d7ef33dep-3,
	0x1.0fd35fd4b3090p+0, 0x1.89075ac3c5db1p+0, 0x1.90a7661db9f0fp-4, -0x1.0dc42a6b4294cp-1,
	0x1.e2e72881367efp+0, 0x1.51e790406122dp+0, 0x1.18874df500e37p+0, 0x1.924eb90e6c2eep-1,
	0x1.01a711c8f5992p+0, 0x1.1eb5946a6651ap-1, 0x1.2f124b59dd11dp-1, 0x1.b5ad9961750a1p-2,
	0x1.4ae02b39af615p+0, 0x1.179bc1474ed2cp-2, -0x1.0ea9c9692c9d8p+0, 0x1.048a2411c2029p+0,
	0x1.707d0c5f6cbd4p-2, -0x1.7460c8a46c06cp-2 };
static const double reference_scales_3[] = { 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+0 };
static const double reference_theta_3[] = { -0x1.62e42fefa39efp-1, -0x1.af8e8210a415cp-4,
	0x1.62e42fefa39efp-1, -0x1.d5240f0e0e077p-1, 0x1.b35a6f90bd69bp+1, -0x1.f4bd2b7ac1bafp+2 };
static const double reference_gradient_3[] = { -0x1.eb6bd9812af1fp+5, -0x1.8aeb7530868b3p+5,
	-0x1.80bda4670f8b1p+4, -0x1.07a16ac0abc6ep+6, -0x1.e6ddf9c10d673p+2, 0x1.98f24d9830c32p+3 };
static const double reference_Xs_3[] = { 0x1.735bb67391dfep-2, 0x1.ac51601e61c32p-1,
	0x1.e31167f7f37e8p-3, 0x1.8bebc149ee8d8p-1, 0x1.d2ce8bb979f08p-1, 0x1.a8d3173a4d854p-1,
	0x1.4c549a8d2ffb6p-1, 0x1.1b526bdc88602p-2, 0x1.6491eb9edca65p-1, 0x1.ce1182409d398p-3,
	0x1.45cfae43d622cp-3, 0x1.32b36c0a2efb3p-1, 0x1.6024c5619e1d4p-1, 0x1.adc5f7f26117cp-1,
	0x1.24c34beaad170p-2, 0x1.a1425b999507bp-1, 0x1.0a2731a522124p-2, 0x1.b95c9c8ebccefp-1,
	0x1.7370c91320e75p-1, 0x1.97e3ec24e8c6cp-3 };
static const double reference_mean_3[] = { 0x1.3cc856916c470p-3, 0x1.dddf049bf4f66p+0,
	-0x1.8f5aa90ac0ba8p-2, 0x1.c8e4f38685636p+0 };
static const double reference_sd_3[] = { 0x1.4f15baf53f0ccp-2, 0x1.79dcb266a0ddfp-2,
	0x1.57ededf3e8724p-2, 0x1.5b15a596e5390p-2 };
static const enum dimension_kind reference_kinds_3[] = { DIMENSION_NUMERIC, DIMENSION_NUMERIC,
	DIMENSION_NUMERIC, DIMENSION_NUMERIC, DIMENSION_NUMERIC };
static const double reference_X_4[] = { 0x1.82f4e2fb1408cp-3, 0x1.0000000000000p+0,
	0x1.19d17392d4da0p-5, 0x1.05c06ea5218f0p-4, 0x1.0000000000000p+1, 0x1.c9447fc36be63p-1,
	0x1.b5059dd60cc44p-2, 0x1.0000000000000p+0, 0x1.5f9f104b39db5p-1, 0x1.b18fce0da7768p-2,
	0x1.0000000000000p+0, 0x1.ab094aca5885cp-1, 0x1.8dd1f05be8338p-1, 0x1.0000000000000p+1,
	0x1.e78feba002adcp-2, 0x1.a238caf49e8c0p-5, 0x1.0000000000000p+1, 0x1.b838ff7e09c60p-6,
	0x1.6877c0309ee16p-1, 0x1.0000000000000p+0, 0x1.ff9341be50a83p-1, 0x1.04cf453c8a2bcp-2,
	0x1.0000000000000p+0, 0x1.307be8dd57a89p-1, 0x1.0a26c1e6c35b7p-1, 0x1.0000000000000p+0,
	0x1.cab54064377a8p-2, 0x1.93eebe54ba5f6p-1, 0x1.0000000000000p+1, 0x1.0e2f3140da7dcp-2,
	0x1.4ee6cef152c80p-2, 0x1.0000000000000p+0, 0x1.cf8e09f543840p-1, 0x1.83310c55d8230p-2,
	0x0.0p+0, 0x1.105eed4338bb1p-1, 0x1.124b135002ffap-1, 0x1.0000000000000p+1,
	0x1.4f7ad82f28e42p-1, 0x1.bc77cd391634ep-2, 0x0.0p+0, 0x1.a833e0c2d3d14p-3,
	0x1.d19ea585694a2p-2, 0x0.0p+0, 0x1.d7beb95e4147cp-2, 0x1.ba5ea2e126660p-2,
	0x1.0000000000000p+1, 0x1.2c9808887c568p-1, 0x1.f020a474630b4p-2, 0x1.0000000000000p+1,
	0x1.e7f6ce01c0722p-2, 0x1.bd4f456399538p-2, 0x0.0p+0, 0x1.cd57f6b53db3bp-1 };
static const double reference_y_4[] = { -0x1.6a09663fed2c0p-2, 0x1.c40148aac8aa2p-2,
	0x1.155384e70fc9dp-2, 0x1.a1a897ee04987p-1, 0x1.c7615b3449ad3p-2, -0x1.50824ba257b44p-7,
	0x1.544c3be1dffb5p+0, -0x1.4a6d9a1a108e0p-1, -0x1.c0ed0ed9e4c90p-4, 0x1.e7136d593ae37p-1,
	0x1.12516601bcb6bp-1, 0x1.2fef391fe1311p-1, 0x1.1fd72cf4e759ap-2, 0x1.1b427e7918646p+0,
	0x1.814fb645b0571p-1, 0x1.f1e7090a4ca0cp-2, 0x1.b10434acc757dp-1, -0x1.2b49dcd6c97b6p-1 };
static const double reference_scales_4[] = { 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0 };
static const double reference_theta_4[] = { -0x1.058aefa811452p-1, -0x1.c8ff7c79a9a20p-3,
	-0x1.0cc1248b56cccp+0, -0x1.ba18a998fffa0p+2 };
static const double reference_gradient_4[] = { -0x1.e4e157d3ad189p-3, -0x1.17b0fb01e316fp+0,
	0x1.08bbb1dabac3ap+2, -0x1.da38ea701772ep-5 };
static const double reference_Xs_4[] = { 0x1.d896b97ea342ep-2, 0x1.0000000000000p+1,
	0x1.25e089048a6f4p-2, 0x1.336fd108eebb1p-1, 0x1.0000000000000p+1, 0x1.03b8eece8e5a2p-2,
	0x1.6eb30a242b740p-5, 0x0.0p+0, 0x1.a2d57abe72e47p-1, 0x1.84268c92e5d58p-1,
	0x1.0000000000000p+1, 0x1.4f8aca638c0e0p-1 };
static const double reference_mean_4[] = { 0x1.1176208f1a318p+0, 0x1.130f1825d8130p+0,
	-0x1.3eb058fd98becp-2, 0x1.1575b3837d71cp-3 };
static const double reference_sd_4[] = { 0x1.5194a88f7f67bp-2, 0x1.0a3751f7783efp-2,
	0x1.37be3e7a703efp-1, 0x1.0a0d5a0b43c3bp-2 };
static const enum dimension_kind reference_kinds_4[] = { DIMENSION_NUMERIC, DIMENSION_CATEGORY,
	DIMENSION_NUMERIC };
static const double reference_X_5[] = { 0x1.0000000000000p+1, 0x0.0p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+1, 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x0.0p+0, 0x0.0p+0, 0x1.0000000000000p+0, 0x0.0p+0,
	0x1.0000000000000p+0, 0x0.0p+0, 0x1.0000000000000p+1, 0x1.0000000000000p+0,
	0x1.8000000000000p+1, 0x1.0000000000000p+0, 0x0.0p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x0.0p+0, 0x1.8000000000000p+1, 0x1.0000000000000p+0,
	0x1.0000000000000p+1, 0x0.0p+0, 0x1.0000000000000p+1, 0x1.0000000000000p+0,
	0x1.0000000000000p+1, 0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x0.0p+0,
	0x1.0000000000000p+1, 0x1.0000000000000p+0, 0x0.0p+0, 0x1.0000000000000p+0,
	0x1.8000000000000p+1, 0x1.0000000000000p+0, 0x1.0000000000000p+1, 0x0.0p+0, 0x0.0p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+1, 0x1.0000000000000p+0, 0x1.0000000000000p+1,
	0x1.0000000000000p+0 };
static const double reference_y_5[] = { 0x1.db1482deb62e0p+1, 0x1.bf2cbc35006c1p-1,
	0x1.1d393b5274af0p+2, 0x1.3f09d26d3cc15p-1, -0x1.4e8b859c25387p-6, 0x1.24be8f5b5b12cp+0,
	0x1.07ac87b09e7f4p+0, 0x1.12a1806e425c0p+2, 0x1.138cd8c82e393p+3, 0x1.12e449b6ac752p-5,
	0x1.3ba6b116545bap+0, 0x1.0f5dc7583f166p+3, 0x1.e430b386c11b9p+1, 0x1.1c22a33dca791p+2,
	0x1.1eceae9408fc1p+2, 0x1.1757aeb7aa779p+0, 0x1.0e30b29d7b67cp+2, 0x1.7df82ea996fc8p-3,
	0x1.106a5b458810ap+3, 0x1.e090b272987a2p+1, 0x1.5e44a85bacb68p-3, 0x1.2a19ca668705dp+2,
	0x1.1838f7b58411cp+2 };
static const double reference_scales_5[] = { 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.0000000000000p+0 };
static const double reference_theta_5[] = { 0x1.8663f793c46cdp-4, -0x1.6d3c324e13f50p-2,
	-0x1.7f7427b73e391p+1 };
static const double reference_gradient_5[] = { -0x1.0dce16e8a46bdp+6, 0x1.c8485f2e8a88cp+2,
	-0x1.eb04228b1f8f7p+1 };
static const double reference_Xs_5[] = { 0x1.8000000000000p+1, 0x1.0000000000000p+0,
	0x1.8000000000000p+1, 0x0.0p+0, 0x1.0000000000000p+1, 0x0.0p+0, 0x1.0000000000000p+1,
	0x0.0p+0 };
static const double reference_mean_5[] = { 0x1.0acc7f0c238bbp+3, 0x1.a9832943f04d3p+1,
	0x1.d9496c92d18f8p+1, 0x1.d9496c92d18f8p+1 };
static const double reference_sd_5[] = { 0x1.0465932d550acp-3, 0x1.6eb43351ddc40p-1,
	0x1.047edb71f9aa6p-3, 0x1.047edb71f9aa6p-3 };
static const enum dimension_kind reference_kinds_5[] = { DIMENSION_CATEGORY, DIMENSION_CATEGORY };
static const double reference_X_6[] = { 0x1.714d81d8afadep-2, 0x1.48d30aac416e0p-1, 0x0.0p+0,
	0x1.46638aa31592ap-1, 0x1.79f0ae4aad574p-2, 0x0.0p+0, 0x1.04447b36ffe99p-1,
	0x1.0173343a78294p-1, 0x1.0000000000000p+0, 0x1.36ba1818bbaccp-3, 0x1.b2f3dcf6185b8p-1,
	0x1.0000000000000p+1, 0x1.519badb52ac51p-1, 0x1.1008cb9722eeep-1, 0x1.0000000000000p+0,
	0x1.193c6e82b7ca0p-5, 0x1.6103b422af8cep-2, 0x1.0000000000000p+0, 0x1.37dfd137fa2adp-1,
	0x1.84cb62b7f3222p-2, 0x1.0000000000000p+1, 0x1.5a27d6addba3bp-1, 0x1.081233fcc0f50p-4,
	0x1.0000000000000p+0, 0x1.13a942d5ba860p-1, 0x1.31f46be3fb868p-4, 0x0.0p+0,
	0x1.331efbbe6774bp-1, 0x1.a89c08195ca92p-1, 0x1.0000000000000p+1, 0x1.6faf6bc7b075ap-1,
	0x1.c847725ad0718p-2, 0x1.0000000000000p+0, 0x1.e537976129072p-1, 0x1.232b9c7f8d8dcp-1,
	0x1.0000000000000p+1, 0x1.3c434bbd1a450p-3, 0x1.5a5804f48df28p-1, 0x1.0000000000000p+0,
	0x1.67b97926d2827p-1, 0x1.a273be4ea7f58p-1, 0x1.0000000000000p+0 };
static const double reference_y_6[] = { 0x1.8af1e7a46502cp-4, 0x1.72194f2db8074p-2,
	0x1.2c5b0bd2c2b82p-5, 0x1.45250ad26f648p-2, 0x1.5978618ca3ffcp-1, -0x1.6b5980de358dfp-1,
	0x1.5e2335a39752ap-1, -0x1.86fd4118553b2p-2, 0x1.50d29a192d3fap+0, -0x1.57fcc8c692554p-2,
	0x1.40985739763c4p-1, 0x1.25b96117de638p-4, -0x1.c1d838430c571p-1, 0x1.6f558ce8066adp+0 };
static const double reference_scales_6[] = { 0x1.4000000000000p+3, 0x1.4000000000000p+3,
	0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0,
	0x1.4000000000000p+3, 0x1.0000000000000p+0, 0x1.4000000000000p+3, 0x1.4000000000000p+3,
	0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0, 0x1.0000000000000p+0 };
static const double reference_theta_6[] = { -0x1.d5240f0e0e077p-1, 0x1.7565011e49675p-3,
	-0x1.af8e8210a415cp-4, -0x1.73c8ffae4beddp+2 };
static const double reference_gradient_6[] = { 0x1.ad190f61b2218p-1, -0x1.17f86de545ac8p+3,
	-0x1.50fe89a6a26e0p+2, NAN };
static const double reference_Xs_6[] = { 0x1.6aa494de7a79bp-1, 0x1.dc8c9832def90p-2,
	0x1.0000000000000p+1, 0x1.a4f8d8fda2094p-2, 0x1.b8ca2f9c0565cp-1, 0x1.0000000000000p+1,
	0x1.d78aa8b48c28bp-1, 0x1.93fd76dd686d7p-1, 0x1.0000000000000p+1, 0x1.7ba6adb56387dp-1,
	0x1.1fb92ad0fc818p-4, 0x0.0p+0 };
static const double reference_mean_6[] = { 0x1.5ae2a5d209bbdp-2, -0x1.8bddb603ca298p-5,
	-0x1.104cd587fb430p-6, 0x1.270935842247ep-1 };
static const double reference_sd_6[] = { 0x1.cf36da5993546p-3, 0x1.69de2c53bda7cp-2,
	0x1.c1f63c4e6eb96p-3, 0x1.92e75c92d846fp-2 };
static const enum dimension_kind reference_kinds_6[] = { DIMENSION_NUMERIC, DIMENSION_NUMERIC,
	DIMENSION_CATEGORY };
static const struct {
	size_t n, d, stars;
	const enum dimension_kind *kinds;
	const double *X, *y, *scales, *theta;
	double c, value;
	const double *gradient, *Xs, *mean, *sd;
} reference_gp[] = {
	{ 1, 1, 4, reference_kinds_0, reference_X_0, reference_y_0, reference_scales_0,
		reference_theta_0, 0x1.505eb9d2391aap+0, -0x1.d6c09d5b8a1c4p-1,
		reference_gradient_0, reference_Xs_0, reference_mean_0, reference_sd_0 },
	{ 7, 1, 4, reference_kinds_1, reference_X_1, reference_y_1, reference_scales_1,
		reference_theta_1, 0x1.b70f4320441b0p-1, -0x1.e6f639164f580p+1,
		reference_gradient_1, reference_Xs_1, reference_mean_1, reference_sd_1 },
	{ 9, 2, 4, reference_kinds_2, reference_X_2, reference_y_2, reference_scales_2,
		reference_theta_2, 0x1.df772959f1147p-3, -0x1.952670c106112p+3,
		reference_gradient_2, reference_Xs_2, reference_mean_2, reference_sd_2 },
	{ 20, 5, 4, reference_kinds_3, reference_X_3, reference_y_3, reference_scales_3,
		reference_theta_3, -0x1.2a0f10dce6988p-2, -0x1.71ae06451f70dp+6,
		reference_gradient_3, reference_Xs_3, reference_mean_3, reference_sd_3 },
	{ 18, 3, 4, reference_kinds_4, reference_X_4, reference_y_4, reference_scales_4,
		reference_theta_4, 0x1.984a774e05c0cp-3, -0x1.8b2c45d8417adp+3,
		reference_gradient_4, reference_Xs_4, reference_mean_4, reference_sd_4 },
	{ 23, 2, 4, reference_kinds_5, reference_X_5, reference_y_5, reference_scales_5,
		reference_theta_5, 0x1.62e3f6b7ed58bp+1, -0x1.d6396444b6ed4p+5,
		reference_gradient_5, reference_Xs_5, reference_mean_5, reference_sd_5 },
	{ 14, 3, 4, reference_kinds_6, reference_X_6, reference_y_6, reference_scales_6,
		reference_theta_6, 0x1.85821ddc73b7ap-3, -0x1.0035964b002a4p+4,
		reference_gradient_6, reference_Xs_6, reference_mean_6, reference_sd_6 },
};
